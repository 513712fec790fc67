package locales

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// wording is a word that French texts avoid, and what stands for it here.
type wording struct {
	word string // as a regular expression, in small letters; a whole word
	use  string
	kind bool // with a capital it is a kind's name, and may be said
}

// unwanted are the typing mistakes of the document that the course retells, names that have
// gone out of use, and words taken from English for which there is a usual one in Québec
// (Grand dictionnaire terminologique). A row more is all it takes to avoid another.
func unwanted() []wording {
	return []wording{
		{`su master`, "du plan de contrôle", false},
		{`illstrer\pL*`, "illustrer", false},
		{`ds efforts`, "des efforts", false},
		{`états? désirés?`, "état souhaité", false},
		{`masters?`, "plan de contrôle", false},
		{`control planes?`, "plan de contrôle", false},
		{`maîtres?[ /-]esclaves?`, "principal et secondaire", false},
		{`noeuds?`, "nœud", false},

		{`clusters?`, "grappe", false},
		{`schedulers?`, "planificateur", false},
		{`api servers?`, "serveur API", false},
		{`nodes?`, "nœud", true},
		{`containers?`, "conteneur", true},
		{`namespaces?`, "espace de noms", true},
		{`labels?`, "étiquette", true},
		{`taints?`, "marquage", false},
		{`tolerations?`, "tolérance", false},
		{`leases?`, "bail", true},
		{`workloads?`, "charge de travail", false},
		{`controllers?`, "contrôleur", true},
		{`snapshots?`, "instantané", false},
		{`rollouts?`, "déploiement", false},
		{`rollbacks?`, "retour à la version précédente", false},
		{`probes?`, "sonde", false},
		{`requests?`, "demande, ou réservation", false},
		{`reviews?`, "révision", false},

		{`e-?mails?|mails?`, "courriel", false},
		{`chats?|tchats?|chatter`, "clavardage", false},
		{`clouds?`, "infonuagique, ou nuage", false},
		{`bugs?|bugu?é\pL*|bugu?er`, "bogue", false},
		{`digita(?:l|le|les|ux)`, "numérique", false},
		{`feed-?backs?`, "rétroaction", false},
		{`logins?|logger`, "ouverture de session", false},
		{`backups?`, "sauvegarde", false},
		{`tags?|tagu?er|tagu?é\pL*`, "étiquette", false},
		{`check(?:er|e|é\pL*|ait|list|lists)`, "vérifier", false},
		{`update(?:s|r|rs)?|updaté\pL*`, "mettre à jour", false},
		{`upgrades?|upgrader`, "mettre à niveau", false},
		{`support(?:er|é|ée|és|ées)`, "prendre en charge", false},
		{`adress\pL+ (?:un|une|le|la|les|ce|ces|cette|des) (?:problème|question|enjeu|besoin|préoccupation)s?`, "s'attaquer à, ou répondre à", false},
		{`définitivement`, "certainement, ou pour de bon", false},
		{`éventuellement`, "tôt ou tard, ou au besoin", false},
		{`links?`, "lien", false},
		{`softwares?`, "logiciel", false},
		{`hardwares?`, "matériel", false},
		{`deadlines?`, "échéance", false},
		{`meetings?`, "réunion", false},
		{`managers?`, "gestionnaire", false},
		{`scal(?:er|e|é\pL*|able|ables|abilité|ing)`, "mettre à l'échelle", false},
		{`monitor(?:er|ing)`, "surveiller", false},
		{`crash(?:s|es|er|e|é\pL*)?`, "plantage, planter", false},
		{`dashboards?`, "tableau de bord", false},
		{`timeouts?`, "délai d'attente", false},
		{`tokens?`, "jeton", false},
		{`threads?`, "fil", false},
		{`channels?`, "salon", false},
		{`post(?:er|é|ée|és|ées)`, "publier", false},
		{`downtimes?`, "indisponibilité", false},
		{`uptimes?`, "disponibilité", false},
		{`users?`, "utilisateur", false},
		{`passwords?`, "mot de passe", false},
		{`week-?ends?`, "fin de semaine", false},
		{`cancell?(?:er|é\pL*)`, "annuler", false},
		{`impact(?:er|é\pL*)`, "toucher", false},
		{`boost(?:er|é\pL*)`, "accélérer", false},
		{`challenges?|challenger`, "défi", false},
		{`librairies?`, "bibliothèque", false},
		{`opportunités?`, "occasion", false},
		{`spams?|spammer`, "pourriel", false},
		{`hashtags?`, "mot-clic", false},
		{`online|offline`, "en ligne, hors ligne", false},
		{`forward(?:er|é\pL*)`, "transférer", false},
		{`bind(?:er|é\pL*)`, "lier", false},
		{`kill(?:er|é\pL*)`, "arrêter, tuer", false},
		{`run(?:ner|né\pL*)`, "exécuter", false},
		{`pull(?:er|é\pL*)`, "tirer", false},
		{`push(?:er|é\pL*)`, "pousser", false},
		{`draîn\pL+`, "vider", false},
		{`en termes? de`, "en matière de, pour ce qui est de", false},
		{`à date`, "à ce jour", false},
		{`au final`, "en fin de compte", false},
		{`faire du sens`, "avoir du sens", false},
		{`prendre pour acquis`, "tenir pour acquis", false},
	}
}

// ways are the ways to write an unwanted word, by their first letter, so that few are tried at each word.
var ways = sync.OnceValue(func() map[byte][]way {
	byLetter := map[byte][]way{}
	for _, w := range unwanted() {
		for _, spelt := range alternatives(w.word) {
			re := regexp.MustCompile(`^(?:` + spelt + `)(?:$|[^\pL\pN_/=-])`) // Go's \b knows no accents
			start := regexp.MustCompile(spelt)
			prefix, _ := start.LiteralPrefix()
			byLetter[prefix[0]] = append(byLetter[prefix[0]], way{wording: w, prefix: prefix, word: re})
		}
	}
	return byLetter
})

type way struct {
	wording
	prefix string
	word   *regexp.Regexp
}

// alternatives cuts a regular expression at each | outside brackets.
func alternatives(expr string) []string {
	var out []string
	depth, from := 0, 0
	for i, r := range expr {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth--
		case r == '|' && depth == 0:
			out, from = append(out, expr[from:i]), i+1
		}
	}
	return append(out, expr[from:])
}

// A gloss is a word that is named, not used: in italics, or one to four words in guillemets or
// brackets. That is the mark of an exception.
var gloss = regexp.MustCompile(`\*\*|\*[^*\n]+\*|_[^_\n]+_|«\x{a0}kubectl[^»]*»|«\x{a0}(?:[^\s»]+\s?){1,4}\x{a0}»|\((?:[^\s()]+\s?){1,4}\)`)

// CheckFrenchWords finds words for which French has a better one. Code, addresses, template
// actions and glosses (*scheduler*, « master », (taint)) are not looked at.
func CheckFrenchWords(text string) []Problem {
	var problems []Problem
	for n, line := range strings.Split(prose(text), "\n") {
		line = gloss.ReplaceAllString(line, " ")
		small := strings.ToLower(line)
		before := ' '
		for at, r := range small {
			begins := unicode.IsLetter(r) && !unicode.IsLetter(before) && !unicode.IsDigit(before) && !strings.ContainsRune("_/.=-", before)
			before = r
			if !begins {
				continue
			}
			for _, w := range ways()[small[at]] {
				if rest := small[at:]; strings.HasPrefix(rest, w.prefix) && w.word.MatchString(rest) && !(w.kind && line[at] != small[at]) {
					problems = append(problems, Problem{Line: n + 1, Rule: "say " + w.use, Near: around(line, at, at+len(w.prefix))})
				}
			}
		}
	}
	return problems
}

// counted is a noun in both numbers, as a lens's sentence writes it: {{plural .Count `poste` `postes`}}.
var counted = regexp.MustCompile("\\{\\{plural [^`{}]*`([^`]*)` `([^`]*)`\\}\\}")

// prose takes out what is not French: code, links' addresses, template actions. Lines stay lines.
func prose(text string) string {
	text = counted.ReplaceAllString(text, "0 $1, $2")
	text = fenced.ReplaceAllStringFunc(text, func(s string) string { return strings.Repeat("\n", strings.Count(s, "\n")) })
	text = inline.ReplaceAllString(text, "X")
	text = address.ReplaceAllString(text, "]")
	return action.ReplaceAllString(text, "0")
}

// Names in the help of the program: its commands, in a column; flags; the ways through other firms' menus.
var (
	column = regexp.MustCompile(`(?m)^ {2,}\S.*?(?: {2,}|$)`)
	flag   = regexp.MustCompile(`(?:^|[^\pL\pN-])--?[a-z][a-z-]*`)
	menu   = regexp.MustCompile(`[^.:\n]*→[^.\n]*`)
	value  = regexp.MustCompile(`\S*[=|/]\S*`)
	call   = regexp.MustCompile(`timonier [a-z]+`)
)

// Help is a text for who runs the program, without the names that it gives as they are.
func Help(text string) string {
	text = action.ReplaceAllString(text, "0") // first: a name may stand right before one
	text = inline.ReplaceAllString(text, "X")
	for _, names := range []*regexp.Regexp{call, column, menu, value, flag} {
		text = names.ReplaceAllString(text, " X ")
	}
	return text
}

// fileName has a dot inside.
var fileName = regexp.MustCompile(`[\pL\pN_/-]+(?:\.[\pL\pN_/-]+)+`)

var letters = regexp.MustCompile(`[\pL\pN]+(?:['’-][\pL\pN]+)*`)

// elided are what stands before an apostrophe without being a word.
var elided = regexp.MustCompile(`(?i)^(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu|presqu|quelqu)['’]`)

// Words are a French text's words that have a spelling to check: no code, no names of kinds, no
// figures; what is elided is taken off.
func Words(text string) []string {
	var words []string
	for _, w := range letters.FindAllString(fileName.ReplaceAllString(prose(text), "X"), -1) {
		w = strings.ReplaceAll(w, "’", "'")
		w = elided.ReplaceAllString(w, "")
		if w != "X" && utf8.RuneCountInString(w) > 1 && !strings.ContainsAny(w, "0123456789") && !capitalInside(w) {
			words = append(words, w)
		}
	}
	return words
}

// capitalInside holds for kinds and acronyms: ReplicaSet, API.
func capitalInside(w string) bool {
	for i, r := range w {
		if i > 0 && strings.ToLower(string(r)) != string(r) && !strings.HasSuffix(w[:i], "-") {
			return true
		}
	}
	return false
}
