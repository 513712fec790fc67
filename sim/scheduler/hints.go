package scheduler

type interest struct{}

func gateEvents() []interest          { return nil }
func nodeNameEvents() []interest      { return nil }
func unschedulableEvents() []interest { return nil }
func taintEvents() []interest         { return nil }
func nodeAffinityEvents() []interest  { return nil }
func portEvents() []interest          { return nil }
func fitEvents() []interest           { return nil }
func spreadEvents() []interest        { return nil }
func podAffinityEvents() []interest   { return nil }
