package bot

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"timonier/bot/quiz"
)

// What quizzes leave behind, and where. An answer is a record of its own, so that 300 people
// who answer at once write 300 small records and no large one.
//
// In a channel's scope:
//
//	channel/quiz               quizHere: which quizzes run, and the hour of the question of the day
//	quiz/SESSION               openQuiz: a quiz.Session and what the chat adds to it, also once it is over
//	quizlive/SESSION/N         a content.Item made for the session from the channel's cluster
//	answers/SESSION/N/PERSON   quiz.Record: what one person answered to one question
//	exam/SESSION/PERSON        examPlace: how far one person has come in an exam
//	names/SESSION/PERSON       the name of a person who agreed to be named, as it was then
//
// In a person's scope:
//
//	person/review              reviewing: the question of a review that is open
//	person/reminder            reminder: when the person is reminded of what is due
//	cards/SHARD                the person's deck, as bot/quiz packs it
//	cards/await/SESSION        awaiting: their answers whose verdict is not out yet
//	took/SESSION               took: where the person answered, so that it can be found again: exported, deleted
//
// A session's ID is of the letters a to z and digits, and unique over all channels. N counts from
// 1: it is one more than the Record's Question.
const (
	keyQuiz   = "quiz/"
	keyLive   = "quizlive/"
	keyAnswer = "answers/"
	keyExam   = "exam/"
	keyNames  = "names/"
	keyCards  = "cards/"
	keyTook   = "took/"

	channelQuiz    = keyChannel + "quiz"
	personReview   = keyPerson + "review"
	personReminder = keyPerson + "reminder"
)

// took is where a person answered: the channel of a session.
type took struct {
	Tenant  string    `json:"tenant,omitempty"`
	Channel string    `json:"channel"`
	At      time.Time `json:"at"` // of the first answer
}

// answerRecord is where a person's answer to a question (from 0) is.
func answerRecord(session string, question int, person string) string {
	return questionAnswers(session, question) + person
}

// questionAnswers is the prefix of the answers to a question (from 0).
func questionAnswers(session string, question int) string {
	return sessionAnswers(session) + strconv.Itoa(question+1) + "/"
}

// sessionAnswers is the prefix of all answers of a session.
func sessionAnswers(session string) string { return keyAnswer + session + "/" }

// nameRecord is where a person's name is, for the scoreboard of a session.
func nameRecord(session, person string) string { return keyNames + session + "/" + person }

// whoseAnswer is the session, the question (from 0) and the person of the key of an answer; false
// where it is another's key.
func whoseAnswer(key string) (session string, question int, person string, ok bool) {
	rest, ok := strings.CutPrefix(key, keyAnswer)
	if !ok {
		return "", 0, "", false
	}
	session, rest, _ = strings.Cut(rest, "/")
	number, person, ok := strings.Cut(rest, "/")
	n, err := strconv.Atoi(number)
	return session, n - 1, person, ok && err == nil && n > 0 && person != ""
}

// readAnswered reads the answers to a session, or to a question, by their prefix.
func (c *call) readAnswered(prefix string) ([]quiz.Record, error) {
	records, err := c.readHere(prefix)
	if err != nil {
		return nil, fmt.Errorf("read answers: %w", err)
	}
	var out []quiz.Record
	for _, rec := range records {
		session, question, person, ok := whoseAnswer(rec.Key)
		if !ok {
			continue
		}
		var r quiz.Record
		if err := json.Unmarshal(rec.Value, &r); err != nil {
			return nil, fmt.Errorf("decode record %s: %w", rec.Key, err)
		}
		r.Session, r.Person, r.Question = session, person, question
		out = append(out, r)
	}
	return out, nil
}

// readNames reads the names of those who agreed to be named, by person.
func (c *call) readNames(session string) (map[string]string, error) {
	prefix := nameRecord(session, "")
	records, err := c.readHere(prefix)
	if err != nil {
		return nil, fmt.Errorf("read names: %w", err)
	}
	names := map[string]string{}
	for _, rec := range records {
		names[rec.Key[len(prefix):]] = string(rec.Value)
	}
	return names, nil
}
