package locales

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestCheckFrenchWords(t *testing.T) {
	tests := []struct {
		text string
		want string // what is to be said instead, joined; "" where nothing is wrong
	}{
		{"La grappe a trois nœuds; le planificateur choisit.", ""},
		{"Le cluster a trois nodes.", "grappe|nœud"},
		{"Un *cluster*, c'est une grappe; le marquage (taint) d'un nœud; «\u00a0master\u00a0» est un ancien nom.", ""},
		{"Le **scheduler** décide.", "planificateur"},
		{"Un `cluster`, [la page](https://example.com/cluster), /kubectl get nodes, `kubectl get nodes`", "nœud"},
		{"Un objet Node et un Lease, le kube-scheduler, kube-node-lease", ""},
		{"Composants su master", "du plan de contrôle|plan de contrôle"},
		{"Nous allons illstrer, sans faire ds efforts, l'état désiré.", "illustrer|des efforts|état souhaité"},
		{"Envoyez un email, ou un e-mail.", "courriel|courriel"},
		{"L'email n'est pas un émail.", "courriel"},
		{"Cela adresse un problème; on l'a définitivement réglé.", "s'attaquer à, ou répondre à|certainement, ou pour de bon"},
		{"Il supporte mal la chaleur; une charge supportée.", "prendre en charge"},
		{"Une première ligne.\nUn bug.", "bogue"},
		{"L'échelle, l'opportunisme, le chat-huant, un tagine, chattemite.", ""},
		{"{{plural .Count `node` `nodes`}} de plus", "nœud|nœud"},
	}
	for _, test := range tests {
		var said []string
		for _, p := range CheckFrenchWords(test.text) {
			said = append(said, strings.TrimPrefix(p.Rule, "say "))
		}
		slices.Sort(said)
		want := strings.Split(test.want, "|")
		slices.Sort(want)
		if got := strings.Join(said, "|"); got != strings.Join(want, "|") {
			t.Errorf("%q:\n got %s\nwant %s", test.text, got, test.want)
		}
	}
	if p := CheckFrenchWords("Une première ligne.\n```\ncluster\n```\nUn bug."); len(p) != 1 || p[0].Line != 5 {
		t.Errorf("%v, want one fault at line 5", p)
	}
}

// TestUnwantedWordsAreFound: each row finds the first of its own words, and none speaks against what another advises.
func TestUnwantedWordsAreFound(t *testing.T) {
	for _, w := range unwanted() {
		sample := regexp.MustCompile(`\(\?-i:(.*)\)`).ReplaceAllString(w.word, "$1")
		sample = regexp.MustCompile(`\|.*`).ReplaceAllString(regexp.MustCompile(`\(\?:([^|)]*)[^)]*\)\??`).ReplaceAllString(sample, "$1"), "")
		sample = regexp.MustCompile(`\[(.)[^]]*\]`).ReplaceAllString(sample, "$1")
		sample = strings.NewReplacer(`\pL*`, "", `\pL+`, "er", "?", "").Replace(sample)
		if len(CheckFrenchWords("Voici "+sample+" ici.")) == 0 {
			t.Errorf("%s does not find %q", w.word, sample)
		}
		for _, p := range CheckFrenchWords("On dit " + w.use + ".") {
			t.Errorf("%s: advises %q: %v", w.word, w.use, p)
		}
	}
}

func TestWords(t *testing.T) {
	text := "L'état d'Amina, aujourd'hui qu'un `kubectl` et le ReplicaSet de l'API liront fichier.txt : peut-il? {{plural .Count `rôle pourvu` `rôles`}} Émilie X 3"
	want := []string{"état", "Amina", "aujourd'hui", "un", "et", "le", "de", "liront", "peut-il", "rôle", "pourvu", "rôles", "Émilie"}
	if got := Words(text); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestHelp(t *testing.T) {
	got := Words(Help("Il se croit lui-même seul, sauf avec --most ou [-o]."))
	if want := []string{"Il", "se", "croit", "lui-même", "seul", "sauf", "avec", "ou"}; !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}
