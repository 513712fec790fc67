package slack

// shortcutManifest is the callback ID of the message shortcut that applies a message's manifest.
const shortcutManifest = "manifest"

// ManifestOptions are what a manifest depends on; every field may be left zero.
type ManifestOptions struct {
	Locale string // of descriptions: fr where empty
	URL    string // https://timonier.example: Slack sends everything there; empty: Socket Mode
}

// Manifest is the app's manifest, YAML.
func Manifest(say func(locale, id string, data map[string]any) string, o ManifestOptions) ([]byte, error) {
	return nil, nil
}
