package bot

import (
	"slices"
	"time"

	"timonier/sim"
	"timonier/sim/kubelet"
)

// fault is one way to break the cluster. To add one is to add a row, with its
// sentences, to a fault that sim knows.
type fault struct {
	name    name
	aliases []string
	sim     string // sim's name for it
	about   string // ID: what it is, in menus and lists
	breaks  string // ID: a button that breaks a target
	mends   string // ID: a button that mends it
	state   string // ID: what is wrong, while it is
	told    string // ID: what will happen, and when
	mild    string // ID: the same, where less comes of it, as isMild says
	isMild  func(cl *sim.Cluster, f fault, target string) bool
	mended  string          // ID: what happens once it is mended
	usual   string          // the target where none is named; "": the one there is
	later   []time.Duration // when there is something to see
	look    name            // a command that shows it; "": none in particular
}

func faults() []fault {
	soon, minutes := []time.Duration{30 * time.Second, 5 * time.Minute}, []time.Duration{time.Minute, 6 * time.Minute}
	look, pods := name{"/kubectl get nodes", "/kubectl get nodes"}, name{"/kubectl get pods", "/kubectl get pods"}
	try, fresh := name{"/kubectl run essai --image=nginx", "/kubectl run trial --image=nginx"}, name{"/kubectl run essai --image=httpd", "/kubectl run trial --image=httpd"}
	status := name{"/etcdctl endpoint status --cluster", "/etcdctl endpoint status --cluster"}
	return []fault{
		{name: name{"noeud", "node"}, sim: sim.NodeSilent, about: "broken.node.about", breaks: "broken.node.breaks", mends: "broken.node.mends",
			state: "broken.node.state", told: "broken.node.told", mended: "broken.node.mended", later: minutes,
			mild: "broken.node.mild", isMild: runsNothing},
		{name: name{"noeud-éteint", "node-off"}, sim: sim.NodeOff, about: "broken.off.about", breaks: "broken.off.breaks", mends: "broken.off.mends",
			state: "broken.off.state", told: "broken.off.told", mended: "broken.off.mended", later: minutes,
			aliases: []string{"noeud-eteint", "eteint", "off"}},
		{name: name{"noeud-lent", "node-slow"}, sim: sim.NodeSlow, about: "broken.slow.about", breaks: "broken.slow.breaks", mends: "broken.slow.mends",
			state: "broken.slow.state", told: "broken.slow.told", mended: "broken.slow.mended", later: minutes,
			aliases: []string{"lent", "slow", "slow-node"}},
		{name: name{"disque", "disk"}, sim: sim.NodeDiskFull, about: "broken.disk.about", breaks: "broken.disk.breaks", mends: "broken.disk.mends",
			state: "broken.disk.state", told: "broken.disk.told", mended: "broken.disk.mended", later: minutes,
			aliases: []string{"disque-plein", "disk-full"}},
		{name: name{"kubelet", "kubelet"}, sim: sim.KubeletDown, about: "broken.kubelet.about", breaks: "broken.kubelet.breaks", mends: "broken.kubelet.mends",
			state: "broken.kubelet.state", told: "broken.kubelet.told", mended: "broken.kubelet.mended", later: minutes},
		{name: name{"api", "api"}, sim: sim.APIServerDown, about: "broken.api.about", breaks: "broken.api.breaks", mends: "broken.api.mends",
			state: "broken.api.state", told: "broken.api.told", mended: "broken.api.mended", later: soon,
			aliases: []string{"apiserver", "kube-apiserver", "serveur-api", "api-server"},
			look:    look},
		{name: name{"planificateur", "scheduler"}, sim: sim.SchedulerDown, about: "broken.scheduler.about", breaks: "broken.scheduler.breaks", mends: "broken.scheduler.mends",
			state: "broken.scheduler.state", told: "broken.scheduler.told", mended: "broken.scheduler.mended", later: soon,
			aliases: []string{"ordonnanceur", "kube-scheduler"},
			mild:    "broken.scheduler.mild", isMild: anotherRuns, usual: sim.Active, look: try},
		{name: name{"contrôleurs", "controllers"}, sim: sim.ControllerManagerDown, about: "broken.controllers.about", breaks: "broken.controllers.breaks", mends: "broken.controllers.mends",
			state: "broken.controllers.state", told: "broken.controllers.told", mended: "broken.controllers.mended", later: soon,
			aliases: []string{"controleur", "controller", "controller-manager", "kube-controller-manager", "gestionnaire"},
			mild:    "broken.controllers.mild", isMild: anotherRuns, usual: sim.Active},
		{name: name{"registre", "registry"}, sim: sim.RegistryDown, about: "broken.registry.about", breaks: "broken.registry.breaks", mends: "broken.registry.mends",
			state: "broken.registry.state", told: "broken.registry.told", mended: "broken.registry.mended", later: soon,
			aliases: []string{"images"},
			usual:   kubelet.DefaultRegistry, look: fresh},
		{name: name{"image-plante", "image-crash"}, sim: sim.ImageCrash, about: "broken.crash.about", breaks: "broken.crash.breaks", mends: "broken.crash.mends",
			state: "broken.crash.state", told: "broken.crash.told", mended: "broken.crash.mended", later: soon,
			aliases: []string{"plante", "crash"},
			look:    pods},
		{name: name{"image-fuite", "image-leak"}, sim: sim.ImageLeak, about: "broken.leak.about", breaks: "broken.leak.breaks", mends: "broken.leak.mends",
			state: "broken.leak.state", told: "broken.leak.told", mended: "broken.leak.mended", later: minutes,
			aliases: []string{"fuite", "leak", "oom"},
			look:    pods},
		{name: name{"image-lente", "image-slow"}, sim: sim.ImageSlow, about: "broken.late.about", breaks: "broken.late.breaks", mends: "broken.late.mends",
			state: "broken.late.state", told: "broken.late.told", mended: "broken.late.mended", later: minutes,
			aliases: []string{"lente"},
			look:    pods},
		{name: name{"etcd", "etcd"}, sim: sim.EtcdStopped, about: "broken.etcd.about", breaks: "broken.etcd.breaks", mends: "broken.etcd.mends",
			state: "broken.etcd.state", told: "broken.etcd.told", mended: "broken.etcd.mended", later: soon,
			aliases: []string{"membre", "member"}, mild: "broken.etcd.mild", isMild: hasQuorum, look: status},
		{name: name{"etcd-coupé", "etcd-cut"}, sim: sim.EtcdPartitioned, about: "broken.cut.about", breaks: "broken.cut.breaks", mends: "broken.cut.mends",
			state: "broken.cut.state", told: "broken.cut.told", mended: "broken.cut.mended", later: soon,
			aliases: []string{"partition"}, mild: "broken.cut.mild", isMild: hasQuorum, look: status},
		{name: name{"etcd-plein", "etcd-full"}, sim: sim.EtcdFull, about: "broken.full.about", breaks: "broken.full.breaks", mends: "broken.full.mends",
			state: "broken.full.state", told: "broken.full.told", mended: "broken.full.mended", later: soon,
			aliases: []string{"nospace", "quota"}, look: status},
	}
}

// findFault finds a row by what is typed, or by sim's name. Nœud folds to noeud.
func findFault(word string) (fault, bool) {
	for _, f := range faults() {
		if f.name.is(word) || word == f.sim || slices.Contains(f.aliases, fold(word)) {
			return f, true
		}
	}
	return fault{}, false
}
