package bot

import (
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"timonier/content"
)

// withHospital is the course with a third lens, which is a file and no code.
func withHospital(t *testing.T) *content.Course {
	t.Helper()
	data, err := os.ReadFile("../content/testdata/hopital.yaml")
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	err = fs.WalkDir(content.Files(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(content.Files(), name)
		files[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	files["lenses/hopital.yaml"] = &fstest.MapFile{Data: data}
	c, err := content.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A lens that a teacher wrote is chosen, completed, spoken and offered like the others.
func TestAThirdLensIsSpoken(t *testing.T) {
	tutor := New(Config{Store: newMemory(), Content: withHospital(t)})
	for _, step := range []struct{ line, want string }{
		{"/lentille", "[L'hôpital → /lentille hopital]"},
		{"/kubectl create deployment soins --image=nginx --replicas=2", "pods demandés"},
		{"/pourquoi", "[L'hôpital → /pourquoi en hopital]"},
		{"/pourquoi en hopital", "L'équipe des effectifs compte"},
		{"/lentille hopital", "L'hôpital"},
		{"/kubectl scale deployment soins --replicas=3", "3\u00a0gardes à pourvoir"},
		{"/temps avance 1m", "peut recevoir des patients"},
		{"/pourquoi requête", "Le bureau des gardes reçoit une demande"},
		{"/grappe", "unité 1"},
		{"/panne noeud node-2", "un incident à l'unité 2"},
		{"/répare", "est chose du passé"},
	} {
		if text := strings.ReplaceAll(answerTo(t, tutor, in("general", "ana", step.line)), "~", "\u00a0"); !strings.Contains(text, step.want) {
			t.Errorf("%s: want %q in\n%s", step.line, step.want, text)
		}
	}
}

// A channel's lens is spoken to everyone in it and in its threads, on each platform; one's own comes first.
func TestTheLensOfAChannel(t *testing.T) {
	for _, platform := range []string{"discord", "slack"} {
		tutor := New(Config{Store: newMemory(), Limits: Limits{Rates: Unlimited()}})
		ask := func(channel, parent, person, line string, teacher bool) string {
			r := in(channel, person, line)
			r.Platform, r.Parent, r.Teacher = platform, parent, teacher
			return answerTo(t, tutor, r)
		}
		const create, placement, plain = "/kubectl create deployment web --image=nginx", "spécialiste", "pod demandé"
		if text := ask("general", "", "ana", "/lentille salon placement", false); !strings.Contains(text, "réservé") {
			t.Errorf("%s: who does not teach chose for the channel: %s", platform, text)
		}
		ask("general", "", "prof", "/lentille salon placement", true)
		if text := ask("general", "", "ana", create, false); !strings.Contains(text, placement) {
			t.Errorf("%s: in the channel: %s", platform, text)
		}
		if text := ask("thread", "general", "ana", create, false); !strings.Contains(text, placement) {
			t.Errorf("%s: in its thread: %s", platform, text)
		}
		if text := ask("other", "", "ana", create, false); !strings.Contains(text, plain) {
			t.Errorf("%s: in another channel: %s", platform, text)
		}
		ask("general", "", "luc", "/lentille technique", false)
		if text := ask("general", "", "luc", "/kubectl scale deployment web --replicas=2", false); strings.Contains(text, placement) {
			t.Errorf("%s: who chose the plain words hears others: %s", platform, text)
		}
	}
}
