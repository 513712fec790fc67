package apiserver

import (
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	"sigs.k8s.io/yaml"
)

// made takes an object of a row, in YAML, through what a creation passes, and returns what is wrong with it.
func made(t *testing.T, r Resource, text string) (Object, string) {
	t.Helper()
	o := r.New()
	if err := yaml.UnmarshalStrict([]byte(text), o); err != nil {
		t.Fatal(err)
	}
	o.SetUID("u")
	r.Default(o)
	r.PrepareForCreate(o)
	var lines []string
	for _, err := range r.Validate(o) {
		lines = append(lines, err.Error())
	}
	return o, strings.Join(lines, "\n")
}

const podsOfJobs = `template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, terminationMessagePolicy: File, imagePullPolicy: Always}]}}`

func TestValidationOfBatchKinds(t *testing.T) {
	type row = func() Resource
	job := func(spec string) string { return "metadata: {name: j}\nspec: {" + spec + ", " + podsOfJobs + "}" }
	cron := func(spec string) string {
		return "metadata: {name: c}\nspec: {" + spec + ", jobTemplate: {spec: {" + podsOfJobs + "}}}"
	}
	scaler := func(spec string) string {
		return "metadata: {name: a}\nspec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: w}, " + spec + "}"
	}
	for name, c := range map[string]struct {
		row  row
		text string
		want string
	}{
		"a job":                      {jobResource, job("completions: 2"), ""},
		"negative counts":            {jobResource, job("parallelism: -1, backoffLimit: -2"), "spec.parallelism: Invalid value: -1: must be greater than or equal to 0\nspec.backoffLimit: Invalid value: -2: must be greater than or equal to 0"},
		"an index without a number":  {jobResource, job("completionMode: Indexed, parallelism: 2"), "spec.completions: Required value: when completion mode is Indexed"},
		"a mode nobody knows":        {jobResource, job("completionMode: Random"), `spec.completionMode: Unsupported value: "Random": supported values: "NonIndexed", "Indexed"`},
		"a limit without indexes":    {jobResource, job("backoffLimitPerIndex: 1"), "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"},
		"managed by nothing":         {jobResource, job("managedBy: queue"), `spec.managedBy: Invalid value: "queue": must be a domain-prefixed path (such as "acme.io/foo")`},
		"an exit code of success":    {jobResource, job("podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {operator: In, values: [3, 0]}}]}"), "spec.podFailurePolicy.rules[0].onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator\nspec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [3,0]: must be ordered"},
		"a rule of nothing":          {jobResource, job("podFailurePolicy: {rules: [{action: Ignore}]}"), "spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required"},
		"success beyond the indexes": {jobResource, job("completions: 3, completionMode: Indexed, successPolicy: {rules: [{succeededIndexes: \"1-5\"}]}"), `spec.successPolicy.rules[0].succeededIndexes: Invalid value: "1-5": error parsing succeededIndexes: too large index: "5"`},
		"no restart policy":          {jobResource, "metadata: {name: j}\nspec: {template: {spec: {containers: [{name: c, image: i}]}}}", `spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"`},
		"another's labels":           {jobResource, "metadata: {name: j}\nspec: {template: {metadata: {labels: {job-name: x}}, spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}", `spec.template.metadata.labels[job-name]: Invalid value: {"batch.kubernetes.io/controller-uid":"u","batch.kubernetes.io/job-name":"j","controller-uid":"u","job-name":"x"}: must be 'j'`},

		"a cron job":              {cronJobResource, cron("schedule: '*/5 * * * *', timeZone: America/Toronto"), ""},
		"no schedule":             {cronJobResource, cron("suspend: true"), "spec.schedule: Required value"},
		"a schedule in words":     {cronJobResource, cron("schedule: every day"), `spec.schedule: Invalid value: "every day": expected exactly 5 fields, found 2: [every day]`},
		"a minute too many":       {cronJobResource, cron("schedule: 61 * * * *"), `spec.schedule: Invalid value: "61 * * * *": end of range (61) above maximum (59): 61`},
		"a zone in the schedule":  {cronJobResource, cron("schedule: TZ=UTC 0 0 * * *"), `spec.schedule: Invalid value: "TZ=UTC 0 0 * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead`},
		"a schedule that panics":  {cronJobResource, cron("schedule: TZ=0"), "spec.schedule: Invalid value: \"TZ=0\": invalid schedule format: runtime error: slice bounds out of range [:-1]\nspec.schedule: Invalid value: \"TZ=0\": cannot use TZ or CRON_TZ in schedule, use timeZone field instead"},
		"a zone nobody lives in":  {cronJobResource, cron("schedule: 0 0 * * *, timeZone: Mars/Olympus"), `spec.timeZone: Invalid value: "Mars/Olympus": unknown time zone Mars/Olympus`},
		"wherever the machine is": {cronJobResource, cron("schedule: 0 0 * * *, timeZone: Local"), `spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones`},
		"a policy nobody knows":   {cronJobResource, cron("schedule: 0 0 * * *, concurrencyPolicy: Maybe"), `spec.concurrencyPolicy: Unsupported value: "Maybe": supported values: "Allow", "Forbid", "Replace"`},
		"a long name":             {cronJobResource, "metadata: {name: " + strings.Repeat("x", 53) + "}\nspec: {schedule: '@daily', jobTemplate: {spec: {" + podsOfJobs + "}}}", `metadata.name: Invalid value: "` + strings.Repeat("x", 53) + `": must be no more than 52 characters`},

		"a budget":              {podDisruptionBudgetResource, "metadata: {name: b}\nspec: {minAvailable: 50%, selector: {matchLabels: {a: b}}}", ""},
		"both bounds":           {podDisruptionBudgetResource, "metadata: {name: b}\nspec: {minAvailable: 1, maxUnavailable: 1}", `spec: Invalid value: {"MinAvailable":1,"Selector":null,"MaxUnavailable":1,"UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both set`},
		"more than all":         {podDisruptionBudgetResource, "metadata: {name: b}\nspec: {maxUnavailable: 101%}", `spec.maxUnavailable: Invalid value: "101%": must not be greater than 100%`},
		"a policy for the sick": {podDisruptionBudgetResource, "metadata: {name: b}\nspec: {minAvailable: 1, unhealthyPodEvictionPolicy: Never}", `spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": supported values: "AlwaysAllow", "IfHealthyBudget"`},

		"an autoscaler":          {horizontalPodAutoscalerResource, scaler("maxReplicas: 3"), ""},
		"none at most":           {horizontalPodAutoscalerResource, scaler("minReplicas: 2"), "spec.maxReplicas: Required value: must be set and greater than 0\nspec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`"},
		"to zero":                {horizontalPodAutoscalerResource, scaler("minReplicas: 0, maxReplicas: 3"), "spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas"},
		"a metric without aim":   {horizontalPodAutoscalerResource, scaler("maxReplicas: 3, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization}}}]"), "spec.metrics[0].resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization"},
		"a metric of two kinds":  {horizontalPodAutoscalerResource, scaler("maxReplicas: 3, metrics: [{type: Pods, pods: {metric: {name: m}, target: {type: AverageValue, averageValue: 1}}, resource: {name: cpu, target: {type: Utilization, averageUtilization: 5}}}]"), "spec.metrics[0].resource: Forbidden: must populate the given metric source only"},
		"a rule without a limit": {horizontalPodAutoscalerResource, scaler("maxReplicas: 3, behavior: {scaleDown: {policies: [{type: Pods, value: 0, periodSeconds: 1900}]}}"), "spec.behavior.scaleDown.policies[0].value: Invalid value: 0: must be greater than zero\nspec.behavior.scaleDown.policies[0].periodSeconds: Invalid value: 1900: must be less than or equal to 1800"},
		"a target of no group":   {horizontalPodAutoscalerResource, "metadata: {name: a}\nspec: {scaleTargetRef: {kind: Deployment, name: w}, maxReplicas: 3}", `spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group`},
	} {
		if _, got := made(t, c.row(), c.text); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
}

func TestWhatOfAJobMayChange(t *testing.T) {
	r := jobResource()
	for name, c := range map[string]struct {
		spec   string
		status batchv1.JobStatus
		change func(*batchv1.JobSpec)
		want   []string // the fields that are wrong
	}{
		"its parallelism":                      {"completions: 2", batchv1.JobStatus{}, func(s *batchv1.JobSpec) { s.Parallelism = new(int32(4)) }, nil},
		"its completions":                      {"completions: 2", batchv1.JobStatus{}, func(s *batchv1.JobSpec) { s.Completions = new(int32(4)) }, []string{"spec.completions"}},
		"both, of an Indexed one":              {"completions: 2, parallelism: 2, completionMode: Indexed", batchv1.JobStatus{}, func(s *batchv1.JobSpec) { s.Completions, s.Parallelism = new(int32(4)), new(int32(4)) }, nil},
		"its image":                            {"completions: 2", batchv1.JobStatus{}, func(s *batchv1.JobSpec) { s.Template.Spec.Containers[0].Image = "x" }, []string{"spec.template"}},
		"its selector":                         {"completions: 2", batchv1.JobStatus{}, func(s *batchv1.JobSpec) { s.Selector.MatchLabels["job-name"] = "j" }, []string{"spec.selector"}},
		"its mode and manager":                 {"completions: 2", batchv1.JobStatus{}, func(s *batchv1.JobSpec) { s.CompletionMode, s.ManagedBy = new(batchv1.IndexedCompletion), new("a.b/c") }, []string{"spec.completionMode", "spec.managedBy"}},
		"where its pods run, while it waits":   {"suspend: true", batchv1.JobStatus{}, func(s *batchv1.JobSpec) { s.Template.Spec.NodeSelector = map[string]string{"a": "b"} }, nil},
		"where its pods run, while they run":   {"suspend: true", batchv1.JobStatus{Active: 1}, func(s *batchv1.JobSpec) { s.Template.Spec.NodeSelector = map[string]string{"a": "b"} }, []string{"spec.template"}},
		"what its pods are, though it waits":   {"suspend: true", batchv1.JobStatus{}, func(s *batchv1.JobSpec) { s.Template.Spec.Containers[0].Image = "x" }, []string{"spec.template.spec"}},
		"whether it waits":                     {"completions: 2", batchv1.JobStatus{}, func(s *batchv1.JobSpec) { s.Suspend = new(true) }, nil},
		"for how long it may and how it fails": {"completions: 2", batchv1.JobStatus{}, func(s *batchv1.JobSpec) { s.ActiveDeadlineSeconds, s.BackoffLimit = new(int64(9)), new(int32(1)) }, nil},
	} {
		o, wrong := made(t, r, "metadata: {name: j}\nspec: {"+c.spec+", "+podsOfJobs+"}")
		if wrong != "" {
			t.Fatal(wrong)
		}
		old := o.(*batchv1.Job)
		old.Status = c.status
		job := old.DeepCopy()
		c.change(&job.Spec)
		var fields []string
		for _, err := range r.ValidateUpdate(job, old) {
			fields = append(fields, err.Field)
		}
		if !slices.Equal(fields, c.want) {
			t.Errorf("%s: %v, want %v", name, fields, c.want)
		}
	}
}
