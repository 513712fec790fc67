package slack

import "timonier/bot"

// sayer says one of the tutor's sentences in the person's language.
type sayer func(id string, data map[string]any) string

// render is a reply as a message within every limit, and the files that go with it. A nil
// element of the reply is never sent.
func render(r bot.Reply, say sayer) (message, []upload) {
	return message{}, nil
}
