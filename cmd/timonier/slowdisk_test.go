package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"timonier/bot"
	"timonier/bot/discord/discordtest"
	"timonier/bot/store"
)

// slowDisk is a store whose disk has not kept an answer until it is let.
type slowDisk struct {
	*store.Store
	held chan struct{} // told of each commit with an answer
	let  chan struct{} // closed when the disk has it
}

func (d *slowDisk) Commit(ctx context.Context, c bot.Commit) error {
	if len(c.Answers) > 0 {
		d.held <- struct{}{}
		<-d.let
	}
	return d.Store.Commit(ctx, c)
}

// TestSlowDisk: on a disk that takes its time whoever asks sees at once that the program is at work, and is answered when
// what was asked for is kept, and not before; told to stop meanwhile, the program waits for that, for as long as it may, and then
// says that this was not enough.
func TestSlowDisk(t *testing.T) {
	for name, waits := range map[string]bool{"the disk is done in time": true, "it is not": false} {
		t.Run(name, func(t *testing.T) {
			stage := newStage(t, "")
			file, err := store.Open(t.Context(), stage.data, store.Options{})
			if err != nil {
				t.Fatal(err)
			}
			disk := &slowDisk{file, make(chan struct{}, 8), make(chan struct{})}
			logger := slog.New(slog.NewTextHandler(&stage.written, nil))
			tutor := bot.New(bot.Config{Store: disk, Logger: logger})
			s := &service{logger: logger, metrics: bot.NewMetrics(), grace: patient, check: file.Check, last: []io.Closer{tutor, file}}
			if !waits {
				s.grace = time.Millisecond
			}
			got := values{}
			for _, pair := range stage.env() {
				if key, value, _ := strings.Cut(pair, "="); strings.HasPrefix(key, "TIMONIER_DISCORD") {
					got[key] = value
				}
			}
			if err := s.connect(platforms(), got, shared{tutor: tutor, logger: logger, metrics: s.metrics}); err != nil {
				t.Fatal(err)
			}
			stop := started(t, s)
			if err := stage.discord.Connected(stage.ctx, 1); err != nil {
				t.Fatal(err)
			}
			for len(stage.discord.Commands("")) == 0 && stage.ctx.Err() == nil { // else its request may be cut off in the middle
				runtime.Gosched()
			}
			asked := stage.discord.Interact(stage.ctx, kubectl("create configmap kept"))
			if first, err := asked.First(stage.ctx); err != nil || first.Type != discordtest.RespondDefer {
				t.Errorf("while the disk is at work there is %+v, %v", first, err)
			}
			<-disk.held
			if text := asked.Message().Text(); strings.Contains(text, "created") {
				t.Errorf("before the disk has it: %s", text)
			}
			if !waits {
				err := stop()
				if text := tell(newVoice("en"), err); !errors.Is(err, errLate) || !strings.Contains(text, "were not enough") {
					t.Errorf("it ended with %v: %s", err, text)
				}
				if text := asked.Message().Text(); strings.Contains(text, "created") {
					t.Errorf("the disk does not have it: %s", text)
				}
				close(disk.let)
				if err := errors.Join(tutor.Close(), file.Close()); err != nil {
					t.Error(err)
				}
				return
			}
			ended := make(chan error, 1)
			go func() { ended <- stop() }()
			for !s.stopping.Load() { // it has been told
				select {
				case err := <-ended:
					t.Fatalf("it ended with work to do: %v", err)
				default:
					runtime.Gosched()
				}
			}
			close(disk.let)
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if text := asked.Message().Text(); !strings.Contains(text, "configmap/kept created") {
				t.Errorf("once the disk has it: %s", text)
			}
		})
	}
}
