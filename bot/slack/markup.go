package slack

// typed is what a person typed, from how Slack encodes it.
func typed(text string) string { return text }
