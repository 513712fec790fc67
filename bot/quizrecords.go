package bot

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// What quizzes leave behind, and where. An answer is a record of its own, so that 300 people
// who answer at once write 300 small records and no large one.
//
// In a channel's scope:
//
//	channel/quiz               quizHere: which quizzes run, and the hour of the question of the day
//	quiz/SESSION               openQuiz: a session's rules and where it stands, also once it is over
//	quizlive/SESSION/N         a content.Item made for the session from the channel's cluster
//	answers/SESSION/N/PERSON   answered: what one person answered to one question
//	exam/SESSION/PERSON        examPlace: how far one person has come in an exam
//
// In a person's scope:
//
//	person/review              reviewing: the question of a review that is open, and the person's reminder
//	cards/…                    the person's deck, as bot/quiz packs it
//	took/SESSION               took: where the person answered, so that it can be found again: exported, deleted
//
// A session's ID is of the letters a to z and digits and is unique over all channels; N counts from 1.
const (
	keyQuiz   = "quiz/"
	keyLive   = "quizlive/"
	keyAnswer = "answers/"
	keyExam   = "exam/"
	keyCards  = "cards/"
	keyTook   = "took/"

	channelQuiz  = keyChannel + "quiz"
	personReview = keyPerson + "review"
)

// answered is the record of what a person answered to a question of a session.
type answered struct {
	Item   string    `json:"item"`             // its ID
	Given  string    `json:"given"`            // in the item's own numbering, as bot/quiz writes it
	Right  bool      `json:"right,omitempty"`  // wholly
	Credit float64   `json:"credit,omitempty"` // 0 to 1
	Points int       `json:"points,omitempty"` // of a race
	Took   int64     `json:"took,omitempty"`   // milliseconds, from the question's beginning
	Hint   bool      `json:"hint,omitempty"`   // it was given the hint
	Change int       `json:"change,omitempty"` // how often it was changed
	At     time.Time `json:"at"`
	Name   string    `json:"name,omitempty"` // only of who agreed to be named
}

// took is where a person answered: the place of a session.
type took struct {
	Tenant  string    `json:"tenant,omitempty"`
	Channel string    `json:"channel"`
	At      time.Time `json:"at"` // of the first answer
}

// answerRecord is where a person's answer to a question is.
func answerRecord(session string, n int, person string) string {
	return questionAnswers(session, n) + person
}

// questionAnswers is the prefix of the answers to a question, and sessionAnswers to all of a session.
func questionAnswers(session string, n int) string {
	return sessionAnswers(session) + strconv.Itoa(n) + "/"
}

func sessionAnswers(session string) string { return keyAnswer + session + "/" }

// whoseAnswer is the question and the person of the key of an answer; false where it is another's key.
func whoseAnswer(key string) (session string, n int, person string, ok bool) {
	rest, ok := strings.CutPrefix(key, keyAnswer)
	if !ok {
		return "", 0, "", false
	}
	session, rest, _ = strings.Cut(rest, "/")
	number, person, ok := strings.Cut(rest, "/")
	n, err := strconv.Atoi(number)
	return session, n, person, ok && err == nil && person != ""
}

// readAnswered reads answers by their prefix, with the question and the person of each.
func (c *call) readAnswered(prefix string) ([]givenAnswer, error) {
	records, _, err := c.tutor.cfg.Store.Read(c.ctx, c.channel.scope, prefix)
	if err != nil {
		return nil, fmt.Errorf("read answers: %w", err)
	}
	var out []givenAnswer
	for _, rec := range records {
		_, n, person, ok := whoseAnswer(rec.Key)
		if !ok {
			continue
		}
		a := givenAnswer{Question: n, Person: person}
		if err := json.Unmarshal(rec.Value, &a.answered); err != nil {
			return nil, fmt.Errorf("decode record %s: %w", rec.Key, err)
		}
		out = append(out, a)
	}
	return out, nil
}

// givenAnswer is an answer, and whose it is.
type givenAnswer struct {
	Question int
	Person   string
	answered
}
