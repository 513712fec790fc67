package bot

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Outside is where the channels' clusters are reached from outside, by kubectl and whatever speaks its API.
type Outside struct {
	Server    string // https://host:port
	Authority []byte // the certificates, in PEM, by which clients know the server; nil: those that their machines trust
}

// The words of /kubeconfig.
var (
	kubeconfigList = name{"liste", "list"}
	kubeconfigDrop = name{"retire", "revoke"}
	kubeconfigMine = name{"miens", "mine"}
	kubeconfigAll  = name{"tous", "all"}
	kubeconfigSpan = name{"durée", "duration"}
)

// Bounds of kubeconfigs.
const (
	usualHolding    = 7 * 24 * time.Hour
	leastHolding    = time.Minute
	mostHolding     = 30 * 24 * time.Hour
	mostOfPerson    = 5   // that one person has in a channel
	mostKubeconfigs = 200 // that a channel has given away: a class has one each, and some two
)

const kubeconfigFile = "kubeconfig" + ".yaml" // in one piece it would be taken for a sentence's ID

// kubeconfigCommand is /kubeconfig: a way to the channel's cluster from outside; /kubeconfig liste, /kubeconfig retire 3.
func kubeconfigCommand(c *call) (Reply, error) {
	words := strings.Fields(tidyCommand(c.args))
	all, err := c.kubeconfigs()
	switch {
	case err != nil:
		return Reply{}, err
	case len(words) == 0:
		return c.giveKubeconfig(all, usualHolding)
	case kubeconfigList.is(words[0]):
		return c.listKubeconfigs(all), nil
	case kubeconfigDrop.is(words[0]), fold(words[0]) == "retirer", fold(words[0]) == "remove":
		return c.revokeKubeconfigs(all, strings.Join(words[1:], " "))
	}
	word := strings.Join(words, " ")
	if key, value, ok := strings.Cut(word, "="); ok && kubeconfigSpan.is(strings.TrimSpace(key)) {
		word = value
	}
	span, ok := duration(word)
	switch {
	case !ok:
		r := c.mistake("kubeconfig.unknown", with{"Words": shorten(c.args)})
		r.Blocks = append(r.Blocks, Text{c.say("kubeconfig.usage")})
		return r, nil
	case span < leastHolding || span > mostHolding:
		return c.mistake("kubeconfig.badspan", with{"Most": c.longSpan(mostHolding)}), nil
	}
	return c.giveKubeconfig(all, span)
}

// giveKubeconfig makes one for whoever asks. What is kept of the reply, for a request that is delivered again, is without the file.
func (c *call) giveKubeconfig(all []*kubeconfig, span time.Duration) (Reply, error) {
	out := c.tutor.cfg.Outside
	mine := 0
	for _, k := range all {
		if k.Who == c.request.Who.ID {
			mine++
		}
	}
	switch {
	case out == nil:
		return c.mistake("kubeconfig.closed"), nil
	case mine >= mostOfPerson:
		return c.mistake("kubeconfig.toomany", with{"Most": mostOfPerson}).with(c.listButton()).with(c.dropButton(kubeconfigMine.in(c.words))), nil
	case len(all) >= mostKubeconfigs:
		return c.mistake("kubeconfig.full", with{"Most": mostKubeconfigs}).with(c.listButton()), nil
	}
	token, hash, err := newToken()
	if err != nil {
		return Reply{}, err
	}
	w, now := c.request.Who, c.now.UTC().Round(0).Truncate(time.Second)
	k := &kubeconfig{Hash: hash, Who: w.ID, Name: clipped(tidyBlanks(w.Name), longestName), Roles: w.Roles, Everywhere: w.Everywhere,
		Teacher: c.request.Teacher, Direct: c.request.Direct, Alone: c.request.Alone, Parent: c.request.Parent,
		Made: now, Expires: now.Add(span)}
	if err := c.addKubeconfig(k); err != nil {
		return Reply{}, err
	}
	text := func(file string) []Block {
		shorter := ""
		if span > 2*time.Hour {
			shorter = c.typed("kubeconfig", kubeconfigSpan.in(c.words)+"=2h")
		}
		data := with{"Span": c.longSpan(span), "Until": c.moments(k.Expires), "Command": "kubectl --kubeconfig " + kubeconfigFile + " get pods",
			"Shorter": shorter, "Revoke": c.typed("kubeconfig", kubeconfigDrop.in(c.words), strconv.Itoa(k.Number))}
		return []Block{Text{file}, Text{"1. " + c.say("kubeconfig.use", data) + "\n2. " + c.say("kubeconfig.until", data) + "\n3. " + c.say("kubeconfig.whoever", data)}}
	}
	r := Reply{
		Blocks: text(c.say("kubeconfig.here")),
		Files:  []File{{Name: kubeconfigFile, Type: "application/yaml", Data: out.kubeconfig(k, token, hashOf(c.channel.scope)[:6])}},
		Later:  text(c.say("kubeconfig.once")),
	}
	return r.with(c.listButton()).with(c.dropButton(strconv.Itoa(k.Number))), nil
}

func (c *call) listButton() Button {
	return Button{Label: c.say("kubeconfig.listbutton"), Line: c.typed("kubeconfig", kubeconfigList.in(c.words))}
}

func (c *call) dropButton(what string) Button {
	label := c.say("kubeconfig.dropbutton", with{"Number": what})
	switch what {
	case kubeconfigMine.in(c.words):
		label = c.say("kubeconfig.dropmine")
	case kubeconfigAll.in(c.words):
		label = c.say("kubeconfig.dropall")
	}
	return Button{Label: label, Line: c.typed("kubeconfig", kubeconfigDrop.in(c.words), what), Style: Danger}
}

// kubeconfig is the file. Its names tell it from another channel's, where somebody puts several together.
func (o *Outside) kubeconfig(k *kubeconfig, token, channel string) []byte {
	authority := ""
	if o.Authority != nil {
		authority = "\n    certificate-authority-data: " + base64.StdEncoding.EncodeToString(o.Authority)
	}
	place := "timonier-" + channel
	return fmt.Appendf(nil, `apiVersion: v1
kind: Config
current-context: %[1]s
clusters:
- name: %[1]s
  cluster:
    server: %[2]s%[3]s
users:
- name: %[1]s-%[4]d
  user:
    token: %[5]s
contexts:
- name: %[1]s
  context:
    cluster: %[1]s
    user: %[1]s-%[4]d
`, place, o.Server, authority, k.Number, token)
}

// listKubeconfigs says who has one: to whoever teaches, of all; to others, of their own.
func (c *call) listKubeconfigs(all []*kubeconfig) Reply {
	r := Reply{Blocks: []Block{Title{c.say("kubeconfig.title")}}}
	t := Table{Columns: []string{c.say("kubeconfig.number"), c.say("kubeconfig.who"), c.say("kubeconfig.made"), c.say("kubeconfig.used"), c.say("kubeconfig.expires")}}
	mine := 0
	for _, k := range all {
		switch {
		case k.Who == c.request.Who.ID:
			mine++
		case !c.may(leads):
			continue
		}
		used := c.say("kubeconfig.never")
		if !k.Used.IsZero() {
			used = c.say("kubeconfig.ago", with{"Span": c.roughly(c.now.Sub(k.Used))})
		}
		t.Rows = append(t.Rows, []string{strconv.Itoa(k.Number), c.holder(k), c.moments(k.Made), used, c.moments(k.Expires)})
	}
	if len(t.Rows) == 0 {
		r.Blocks = append(r.Blocks, Text{c.say("kubeconfig.none", with{"Kubeconfig": c.typed("kubeconfig")})})
		return r
	}
	r.Blocks = append(r.Blocks, t, Text{c.say("kubeconfig.how", with{"Revoke": c.typed("kubeconfig", kubeconfigDrop.in(c.words), t.Rows[0][0])})})
	if mine > 0 {
		r = r.with(c.dropButton(kubeconfigMine.in(c.words)))
	}
	if c.may(leads) && len(t.Rows) > mine {
		r = r.with(c.dropButton(kubeconfigAll.in(c.words)))
	}
	return r
}

// holder is the person, as they are told from others.
func (c *call) holder(k *kubeconfig) string {
	switch {
	case k.Who == c.request.Who.ID:
		return c.say("kubeconfig.you")
	case k.Name != "":
		return literal(k.Name)
	}
	return "`" + shorten(k.Who) + "`"
}

// revokeKubeconfigs revokes kubeconfigs: one by its number, one's own, or all. Somebody else's are for who teaches.
func (c *call) revokeKubeconfigs(all []*kubeconfig, what string) (Reply, error) {
	var taken []*kubeconfig
	number, err := strconv.Atoi(strings.TrimPrefix(what, "#"))
	everyone := kubeconfigAll.is(what) || fold(what) == "toutes" || fold(what) == "tout"
	mine := kubeconfigMine.is(what) || strings.HasPrefix(fold(what), "mien") || fold(what) == "le mien"
	if err != nil && !everyone && !mine {
		r := c.mistake("kubeconfig.which", with{"Revoke": c.typed("kubeconfig", kubeconfigDrop.in(c.words))})
		return r.with(c.listButton()).with(c.dropButton(kubeconfigMine.in(c.words))), nil
	}
	if everyone && !c.may(leads) {
		return c.forbidden(c.typed("kubeconfig", kubeconfigDrop.in(c.words), kubeconfigAll.in(c.words))), nil
	}
	for _, k := range all {
		own := k.Who == c.request.Who.ID
		if !everyone && !(mine && own) && !(err == nil && k.Number == number && (own || c.may(leads))) {
			continue
		}
		if err := c.dropKubeconfig(k); err != nil {
			return Reply{}, err
		}
		taken = append(taken, k)
	}
	if len(taken) == 0 { // somebody else's number is as one that there is not
		return c.mistake("kubeconfig.notthere").with(c.listButton()), nil
	}
	return Reply{Blocks: []Block{Text{c.say("kubeconfig.revoked", with{"Count": len(taken)})}}}.with(c.listButton()), nil
}

// fromOutside says with whose kubeconfig something was asked for.
func (c *call) fromOutside(number int) string {
	all, err := kubeconfigsIn(c.channel.records)
	if err == nil {
		for _, k := range all {
			if k.Number == number {
				return c.say("why.outside", with{"Number": number, "Who": c.holder(k)})
			}
		}
	}
	return c.say("why.unknown", with{"Number": number})
}

func completeKubeconfig(c *call, words []string) []string {
	switch {
	case len(words) == 1:
		return []string{kubeconfigList.in(c.words), kubeconfigDrop.in(c.words), kubeconfigSpan.in(c.words) + "=2h", kubeconfigSpan.in(c.words) + "=" + c.say("kubeconfig.day")}
	case len(words) > 2 || !kubeconfigDrop.is(words[0]):
		return nil
	}
	out := []string{kubeconfigMine.in(c.words)}
	if c.may(leads) {
		out = append(out, kubeconfigAll.in(c.words))
	}
	all, err := kubeconfigsIn(c.channel.records)
	if err != nil {
		return out
	}
	for _, k := range all {
		if k.Expires.After(c.now) && (k.Who == c.request.Who.ID || c.may(leads)) {
			out = append(out, strconv.Itoa(k.Number))
		}
	}
	return out
}
