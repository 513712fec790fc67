package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/kubectl/pkg/cmd/apply"
	"k8s.io/kubectl/pkg/cmd/delete"
	"k8s.io/kubectl/pkg/cmd/get"
	"k8s.io/kubectl/pkg/cmd/rollout"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	"k8s.io/kubectl/pkg/cmd/wait"

	"timonier/bot/discord/discordtest"
)

// asKubectl, in the environment, has the test's own program be kubectl: commands of kubectl's end their program.
const asKubectl = "TIMONIER_TEST_AS_KUBECTL"

// runKubectl is kubectl as it is put together in its own program, with the commands that the test needs.
func runKubectl(args []string) {
	flags, sent := genericclioptions.NewConfigFlags(true), &genericclioptions.CommandHeaderRoundTripper{}
	flags.WrapConfigFn = func(c *rest.Config) *rest.Config {
		c.Wrap(func(rt http.RoundTripper) http.RoundTripper {
			return &genericclioptions.CommandHeaderRoundTripper{Delegate: rt, Headers: sent.Headers}
		})
		return c
	}
	root := &cobra.Command{Use: "kubectl", PersistentPreRun: func(cmd *cobra.Command, args []string) { sent.ParseCommandHeaders(cmd, args) }}
	flags.AddFlags(root.PersistentFlags())
	f := cmdutil.NewFactory(cmdutil.NewMatchVersionFlags(flags))
	streams := genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}
	root.AddCommand(get.NewCmdGet("kubectl", f, streams), apply.NewCmdApply("kubectl", f, streams), rollout.NewCmdRollout("kubectl", f, streams),
		wait.NewCmdWait(flags, streams), delete.NewCmdDelete(f, streams))
	root.SetArgs(args)
	cmdutil.CheckErr(root.Execute())
}

// obeysKubectl: kubectl's own commands, in a program of their own, reach the channel's cluster with the file that /kubeconfig gives;
// and a client-go informer goes on where its cluster has been replaced by another.
func obeysKubectl(t *testing.T, program string) {
	if testing.Short() {
		t.Skip("starts kubectl some ten times")
	}
	self, err := os.Executable()
	if err != nil {
		t.Skip(err)
	}
	s := newStage(t, program)
	s.options = []string{"--kubectl", freeAddress(t)}
	p := s.serve()
	s.connected()
	config, file := s.givenTo(kubeconfigCommand())
	dir := t.TempDir()
	path := filepath.Join(dir, "kubeconfig.yaml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(in string, args ...string) (string, error) {
		cmd := exec.CommandContext(s.ctx, self, append(args, "--kubeconfig", path, "--cache-dir", filepath.Join(dir, "cache"))...)
		cmd.Env, cmd.Stdin = append(os.Environ(), asKubectl+"=1"), strings.NewReader(in)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	does := func(in, want string, args ...string) {
		t.Helper()
		if out, err := run(in, args...); err != nil || !strings.Contains(out, want) {
			t.Fatalf("kubectl %s: %v, and no %q in\n%s", strings.Join(args, " "), err, want, out)
		}
	}

	does(deployment, "deployment.apps/web created", "apply", "-f", "-")
	does("", `deployment "web" successfully rolled out`, "rollout", "status", "deployment/web", "--timeout=60s")
	does("", "condition met", "wait", "--for=condition=Ready", "pod", "-l", "app=web", "--timeout=60s")
	does("", "3/3", "get", "deployment", "web")
	does(deployment, "deployment.apps/web unchanged", "apply", "-f", "-")
	does(strings.Replace(deployment, "replicas: 3", "replicas: 1", 1), "deployment.apps/web configured", "apply", "-f", "-")
	s.onDiscord(discordtest.Slash("pourquoi"), "kubectl apply")
	does("", `deployment.apps "web" deleted`, "delete", "deployment", "web", "--timeout=60s")
	if out, err := run("", "get", "deployment", "web"); err == nil || !strings.Contains(out, `Error from server (NotFound): deployments.apps "web" not found`) {
		t.Errorf("what was deleted: %v, %s", err, out)
	}

	client := kubernetes.NewForConfigOrDie(config)
	factory := informers.NewSharedInformerFactory(client, 0)
	maps := factory.Core().V1().ConfigMaps().Lister().ConfigMaps("default")
	factory.StartWithContext(s.ctx)
	until := func(what string, done func() bool) {
		t.Helper()
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for ; !done(); <-tick.C {
			if s.ctx.Err() != nil {
				t.Fatalf("the informer never sees: %s", what)
			}
		}
	}
	sees := func(name string) func() bool {
		return func() bool { _, err := maps.Get(name); return err == nil }
	}
	s.onDiscord(kubectl("create configmap before"), "before")
	until("what was made in the chat", sees("before"))
	teacher := discordtest.Person{ID: "4242", Permissions: discordtest.ManageGuild}
	s.onDiscord(discordtest.Slash("remise", discordtest.String("action", "confirme")).By(teacher), "neuve et vide")
	until("that all is another's", func() bool { return !sees("before")() && sees("kube-root-ca.crt")() })
	s.onDiscord(kubectl("create configmap after"), "after")
	until("what was made since", sees("after"))
	if _, err := client.CoreV1().ConfigMaps("default").Get(s.ctx, "before", metav1.GetOptions{}); err == nil {
		t.Error("the cluster was not replaced")
	}
	s.onDiscord(kubeconfigCommand("retire", "miens"), "n'ouvre plus rien")
	if out, err := run("", "get", "pods"); err == nil || !strings.Contains(out, "You must be logged in to the server") {
		t.Errorf("with a token that was taken back: %v, %s", err, out)
	}
	if code := p.end(syscall.SIGTERM); code != 0 {
		t.Errorf("code %d", code)
	}
}
