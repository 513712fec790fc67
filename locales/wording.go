package locales

import (
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"
)

// wording is a word that French texts avoid, and what stands for it here.
type wording struct {
	word string // as a regular expression, in small letters; a whole word
	use  string
}

// unwanted are the typing mistakes of the document that the course retells, names that have
// gone out of use, and words taken from English for which there is a usual one in Québec
// (Grand dictionnaire terminologique). A row more is all it takes to avoid another.
func unwanted() []wording {
	return []wording{
		{`su master`, "du plan de contrôle"},
		{`illstrer\pL*`, "illustrer"},
		{`ds efforts`, "des efforts"},
		{`états? désirés?`, "état souhaité"},
		{`masters?`, "plan de contrôle"},
		{`control planes?`, "plan de contrôle"},
		{`maîtres?[ /-]esclaves?`, "principal et secondaire"},
		{`noeuds?`, "nœud"},

		{`clusters?`, "grappe"},
		{`schedulers?`, "planificateur"},
		{`api servers?`, "serveur API"},
		{`(?-i:nodes?)`, "nœud"},
		{`(?-i:containers?)`, "conteneur"},
		{`(?-i:namespaces?)`, "espace de noms"},
		{`(?-i:labels?)`, "étiquette"},
		{`taints?`, "marquage"},
		{`tolerations?`, "tolérance"},
		{`(?-i:leases?)`, "bail"},
		{`workloads?`, "charge de travail"},
		{`(?-i:controllers?)`, "contrôleur"},
		{`snapshots?`, "instantané"},
		{`rollouts?`, "déploiement"},
		{`rollbacks?`, "retour à la version précédente"},
		{`probes?`, "sonde"},
		{`requests?`, "demande, ou réservation"},
		{`reviews?`, "révision"},

		{`e-?mails?|mails?`, "courriel"},
		{`chats?|tchats?|chatter`, "clavardage"},
		{`clouds?`, "infonuagique, ou nuage"},
		{`bugs?|bugu?é\pL*|bugu?er`, "bogue"},
		{`digita(?:l|le|les|ux)`, "numérique"},
		{`feed-?backs?`, "rétroaction"},
		{`logins?|logger`, "ouverture de session"},
		{`backups?`, "sauvegarde"},
		{`tags?|tagu?er|tagu?é\pL*`, "étiquette"},
		{`check(?:er|e|é\pL*|ait|list|lists)`, "vérifier"},
		{`update(?:s|r|rs)?|updaté\pL*`, "mettre à jour"},
		{`upgrades?|upgrader`, "mettre à niveau"},
		{`support(?:er|é|ée|és|ées)`, "prendre en charge"},
		{`adress\pL+ (?:un|une|le|la|les|ce|ces|cette|des) (?:problème|question|enjeu|besoin|préoccupation)s?`, "s'attaquer à, ou répondre à"},
		{`définitivement`, "certainement, ou pour de bon"},
		{`éventuellement`, "tôt ou tard, ou au besoin"},
		{`links?`, "lien"},
		{`softwares?`, "logiciel"},
		{`hardwares?`, "matériel"},
		{`deadlines?`, "échéance"},
		{`meetings?`, "réunion"},
		{`managers?`, "gestionnaire"},
		{`scal(?:er|e|é\pL*|able|ables|abilité|ing)`, "mettre à l'échelle"},
		{`monitor(?:er|ing)`, "surveiller"},
		{`crash(?:s|es|er|e|é\pL*)?`, "plantage, planter"},
		{`dashboards?`, "tableau de bord"},
		{`timeouts?`, "délai d'attente"},
		{`tokens?`, "jeton"},
		{`threads?`, "fil"},
		{`channels?`, "salon"},
		{`post(?:er|é|ée|és|ées)`, "publier"},
		{`downtimes?`, "indisponibilité"},
		{`uptimes?`, "disponibilité"},
		{`users?`, "utilisateur"},
		{`passwords?`, "mot de passe"},
		{`week-?ends?`, "fin de semaine"},
		{`cancell?(?:er|é\pL*)`, "annuler"},
		{`impact(?:er|é\pL*)`, "toucher"},
		{`boost(?:er|é\pL*)`, "accélérer"},
		{`challenges?|challenger`, "défi"},
		{`librairies?`, "bibliothèque"},
		{`opportunités?`, "occasion"},
		{`spams?|spammer`, "pourriel"},
		{`hashtags?`, "mot-clic"},
		{`online|offline`, "en ligne, hors ligne"},
		{`forward(?:er|é\pL*)`, "transférer"},
		{`bind(?:er|é\pL*)`, "lier"},
		{`kill(?:er|é\pL*)`, "arrêter, tuer"},
		{`run(?:ner|né\pL*)`, "exécuter"},
		{`pull(?:er|é\pL*)`, "tirer"},
		{`push(?:er|é\pL*)`, "pousser"},
		{`draîn\pL+`, "vider"},
		{`en termes? de`, "en matière de, pour ce qui est de"},
		{`à date`, "à ce jour"},
		{`au final`, "en fin de compte"},
		{`faire du sens`, "avoir du sens"},
		{`prendre pour acquis`, "tenir pour acquis"},
	}
}

// wordings is unwanted, each compiled once.
var wordings = sync.OnceValue(func() []rule {
	var rules []rule
	for _, w := range unwanted() {
		// Go's \b knows no accents. Kinds have a capital: a word that is one in small letters only says so.
		rules = append(rules, rule{says: "say " + w.use, bad: regexp.MustCompile(`(?i)(?:^|[^\pL\pN_/.=-])(` + w.word + `)(?:$|[^\pL\pN_/=-])`)})
	}
	return rules
})

// A gloss is a word that is named, not used: in italics, or one to four words in guillemets or
// brackets. That is the mark of an exception.
var gloss = regexp.MustCompile(`\*\*|\*[^*\n]+\*|_[^_\n]+_|«\x{a0}kubectl[^»]*»|«\x{a0}(?:[^\s»]+\s?){1,4}\x{a0}»|\((?:[^\s()]+\s?){1,4}\)`)

// CheckFrenchWords finds words for which French has a better one. Code, addresses, template
// actions and glosses (*scheduler*, « master », (taint)) are not looked at.
func CheckFrenchWords(text string) []Problem {
	var problems []Problem
	for n, line := range strings.Split(prose(text), "\n") {
		line = gloss.ReplaceAllString(line, " ")
		for _, r := range wordings() {
			for _, at := range r.bad.FindAllStringSubmatchIndex(line, -1) {
				problems = append(problems, Problem{Line: n + 1, Rule: r.says, Near: around(line, at[2], at[3])})
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
	flag   = regexp.MustCompile(`--?[a-z][a-z-]*`)
	menu   = regexp.MustCompile(`[^.:\n]*→[^.\n]*`)
	value  = regexp.MustCompile(`\S*[=|/]\S*`)
)

// Help is a text for who runs the program, without the names that it gives as they are.
func Help(text string) string {
	text = inline.ReplaceAllString(text, "X")
	for _, names := range []*regexp.Regexp{column, menu, value, flag} {
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
