package kubectl

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
)

// outage is the discovery of a kubectl whose API server is down: it knows the kinds from its cache on disk, as long as
// it is not told to forget them; the server's version and schemas it would have to ask for.
type outage struct {
	discovery.DiscoveryInterface // asks
	cached                       discovery.CachedDiscoveryInterface
	forgotten                    bool
}

func (g *getter) outage(cached discovery.CachedDiscoveryInterface) (discovery.CachedDiscoveryInterface, error) {
	asks, err := discovery.NewDiscoveryClientForConfig(g.config)
	if err != nil {
		return nil, fmt.Errorf("make discovery client: %w", err)
	}
	return &outage{asks, cached, false}, nil
}

func (o *outage) kinds() discovery.DiscoveryInterface {
	if o.forgotten {
		return o.DiscoveryInterface
	}
	return o.cached
}

func (o *outage) Fresh() bool { return true }

func (o *outage) Invalidate() { o.forgotten = true }

func (o *outage) ServerGroups() (*metav1.APIGroupList, error) { return o.kinds().ServerGroups() }

func (o *outage) ServerPreferredResources() ([]*metav1.APIResourceList, error) {
	return o.kinds().ServerPreferredResources()
}

func (o *outage) ServerPreferredNamespacedResources() ([]*metav1.APIResourceList, error) {
	return o.kinds().ServerPreferredNamespacedResources()
}

func (o *outage) ServerGroupsAndResources() ([]*metav1.APIGroup, []*metav1.APIResourceList, error) {
	return o.kinds().ServerGroupsAndResources()
}

func (o *outage) ServerResourcesForGroupVersion(groupVersion string) (*metav1.APIResourceList, error) {
	return o.kinds().ServerResourcesForGroupVersion(groupVersion)
}
