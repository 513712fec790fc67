package main

import (
	"strings"
	"syscall"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	appsapply "k8s.io/client-go/applyconfigurations/apps/v1"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"
	metaapply "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"timonier/bot/discord/discordtest"
)

// kubeconfigCommand is /kubeconfig on Discord.
func kubeconfigCommand(words ...string) discordtest.Interaction {
	var options []discordtest.Option
	for i, name := range []string{"action", "précision"} {
		if i < len(words) && words[i] != "" {
			options = append(options, discordtest.String(name, words[i]))
		}
	}
	return discordtest.Slash("kubeconfig", options...)
}

// givenTo is the kubeconfig that a person is given in a channel.
func (s *stage) givenTo(i discordtest.Interaction) (*rest.Config, string) {
	s.t.Helper()
	m := s.onDiscord(i, "kubectl --kubeconfig")
	if len(m.Attachments) != 1 || m.Attachments[0].Filename != "kubeconfig.yaml" || !m.Ephemeral() {
		s.t.Fatalf("no private file: %+v", m)
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(m.Attachments[0].Data)
	if err != nil {
		s.t.Fatal(err)
	}
	s.secrets = append(s.secrets, config.BearerToken)
	config.QPS, config.WarningHandler = -1, rest.NoWarnings{}
	return config, string(m.Attachments[0].Data)
}

// servesKubectl: a channel's own cluster is reached with what /kubeconfig gives, and no other; it is told of in the chat; it
// holds after a restart, and not once it is taken back.
func servesKubectl(t *testing.T, program string) {
	s := newStage(t, program)
	s.options = []string{"--kubectl", freeAddress(t)}
	p := s.serve()
	s.connected()
	config, file := s.givenTo(kubeconfigCommand())
	client := kubernetes.NewForConfigOrDie(config)
	web := appsapply.Deployment("web", "default").WithSpec(appsapply.DeploymentSpec().WithReplicas(2).
		WithSelector(metaapply.LabelSelector().WithMatchLabels(map[string]string{"app": "web"})).
		WithTemplate(coreapply.PodTemplateSpec().WithLabels(map[string]string{"app": "web"}).
			WithSpec(coreapply.PodSpec().WithContainers(coreapply.Container().WithName("c").WithImage("nginx")))))
	deployments := client.AppsV1().Deployments("default")
	w, err := deployments.Watch(s.ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := deployments.Apply(s.ctx, web, metav1.ApplyOptions{FieldManager: "test"}); err != nil {
		t.Fatal(err)
	}
	s.until(w, "two pods are ready", func(e watch.Event) bool {
		d, ok := e.Object.(*appsv1.Deployment)
		return ok && d.Status.ReadyReplicas == 2
	})
	w.Stop()
	s.onDiscord(kubectl("get deployments"), "web")
	s.onDiscord(discordtest.Slash("pourquoi"), "Demandé de l'extérieur, avec l'accès nº")

	elsewhere := discordtest.Place{Guild: "4194304000999", Channel: "2000000000000000999"}
	other, _ := s.givenTo(kubeconfigCommand().In(elsewhere))
	if all, err := kubernetes.NewForConfigOrDie(other).AppsV1().Deployments("").List(s.ctx, metav1.ListOptions{}); err != nil || len(all.Items) != 0 {
		t.Errorf("another channel sees %v (%v)", all, err)
	}
	if code := p.end(syscall.SIGTERM); code != 0 {
		t.Errorf("code %d", code)
	}

	p = s.serve()
	s.connected()
	config, err = clientcmd.RESTConfigFromKubeConfig([]byte(file)) // and no connection that was kept
	if err != nil {
		t.Fatal(err)
	}
	client = kubernetes.NewForConfigOrDie(config)
	if d, err := client.AppsV1().Deployments("default").Get(s.ctx, "web", metav1.GetOptions{}); err != nil || d.Status.ReadyReplicas != 2 {
		t.Errorf("after a restart: %v (%v)", d, err)
	}
	pods, err := client.CoreV1().Pods("default").Watch(s.ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.until(pods, "a pod is there", func(e watch.Event) bool { return e.Type == watch.Added })
	s.onDiscord(kubeconfigCommand("retire", "miens"), "n'ouvre plus rien")
	for range pods.ResultChan() { // until it ends
	}
	if s.ctx.Err() != nil {
		t.Fatal("a watch goes on with a token that was taken back")
	}
	if _, err := client.CoreV1().Pods("default").List(s.ctx, metav1.ListOptions{}); !apierrors.IsUnauthorized(err) {
		t.Errorf("with a token that was taken back: %v", err)
	}
	if _, err := kubernetes.NewForConfigOrDie(other).CoreV1().Nodes().Get(s.ctx, "node-1", metav1.GetOptions{}); err != nil {
		t.Errorf("another's token: %v", err)
	}
	open, err := kubernetes.NewForConfigOrDie(other).CoreV1().Nodes().Watch(s.ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer open.Stop()
	began := time.Now()
	if code := p.end(syscall.SIGTERM); code != 0 || time.Since(began) > grace {
		t.Errorf("told to stop while a watch is open: code %d after %v", code, time.Since(began))
	}
	if out := s.written.String(); strings.Contains(out, config.BearerToken) || strings.Contains(out, other.BearerToken) {
		t.Error("a token is in the log")
	}
}

// until reads a watch until an event will do.
func (s *stage) until(w watch.Interface, what string, done func(watch.Event) bool) {
	s.t.Helper()
	for {
		select {
		case e, ok := <-w.ResultChan():
			if !ok {
				s.t.Fatalf("the watch ended, and never: %s", what)
			}
			if done(e) {
				return
			}
		case <-s.ctx.Done():
			s.t.Fatalf("never: %s", what)
		}
	}
}
