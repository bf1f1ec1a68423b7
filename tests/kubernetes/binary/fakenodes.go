package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/signal"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/component-base/version"
)

const heartbeat = 10 * time.Second

// started is when everything that does not change here began to be so.
var started = metav1.Now()

// Addresses of Nodes and Pods come from the range for benchmarks (RFC 2544): EndpointSlices refuse loopback addresses,
// and these belong to no machine that anybody could reach by accident. Nobody ever connects to them.
const (
	nodeAddress = "198.18.0.%d"
	podAddress  = "198.19.%d.%d"
)

var podsAddressed atomic.Uint32

func nextPodAddress() string {
	number := podsAddressed.Add(1) % (1 << 16)
	return fmt.Sprintf(podAddress, number>>8, number&0xff)
}

// newFakeNodesCommand plays the kubelets of a control plane without nodes: it registers Nodes, reports every Pod that
// the scheduler binds to one of them as running (as succeeded where the Pod's restart policy is not Always, so that
// Jobs complete), and lets deleted Pods go. No container ever runs.
func newFakeNodesCommand() *cobra.Command {
	var kubeconfig, prefix, mark string
	var count int
	command := &cobra.Command{
		Use:   "fake-nodes",
		Short: "Register Nodes without machines and report the Pods bound to them as running",
		RunE: func(*cobra.Command, []string) error {
			ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
			if err != nil {
				return err
			}
			config.QPS, config.Burst = 2000, 4000
			client, err := kubernetes.NewForConfig(config)
			if err != nil {
				return err
			}
			ours := map[string]bool{}
			for i := range count {
				name := fmt.Sprintf("%s%d", prefix, i+1)
				ours[name] = true
				go keepNode(ctx, client, newNode(name, mark), fmt.Sprintf(nodeAddress, i+1))
			}
			return runPods(ctx, client, ours)
		},
	}
	command.Flags().StringVar(&kubeconfig, "kubeconfig", "", "kubeconfig of the cluster")
	command.Flags().IntVar(&count, "nodes", 2, "how many Nodes to register")
	command.Flags().StringVar(&prefix, "prefix", "node-", "what the Nodes' names begin with; a number follows")
	command.Flags().StringVar(&mark, "mark", "", "key of a label and a taint of the Nodes, for clusters with real ones too")
	return command
}

// newNode describes a Node. With a mark it takes only those Pods that ask for it: they select the label and tolerate the taint.
func newNode(name, mark string) *corev1.Node {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
		"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": runtime.GOARCH,
	}}}
	if mark != "" {
		node.Labels[mark] = "true"
		node.Spec.Taints = []corev1.Taint{{Key: mark, Value: "true", Effect: corev1.TaintEffectNoSchedule}}
	}
	return node
}

func keepNode(ctx context.Context, client kubernetes.Interface, node *corev1.Node, address string) {
	for {
		if err := reportNode(ctx, client, node, address); err != nil && ctx.Err() == nil {
			fmt.Println("node", node.Name, err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(heartbeat):
		}
	}
}

func reportNode(ctx context.Context, client kubernetes.Interface, node *corev1.Node, address string) error {
	if _, err := client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil && !errors.IsAlreadyExists(err) {
		return err
	}
	capacity := corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("1k"), corev1.ResourceMemory: resource.MustParse("4Ti"),
		corev1.ResourcePods: resource.MustParse("20k"), corev1.ResourceEphemeralStorage: resource.MustParse("4Ti"),
	}
	patch, err := json.Marshal(map[string]any{"status": corev1.NodeStatus{
		Capacity: capacity, Allocatable: capacity,
		Addresses: []corev1.NodeAddress{
			{Type: corev1.NodeInternalIP, Address: address}, {Type: corev1.NodeHostName, Address: node.Name},
		},
		NodeInfo: corev1.NodeSystemInfo{KubeletVersion: version.Get().GitVersion, OperatingSystem: "linux", Architecture: runtime.GOARCH},
		Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "FakeNode",
			Message: "reported without a machine", LastHeartbeatTime: metav1.Now(), LastTransitionTime: started}},
	}})
	if err != nil {
		return err
	}
	_, err = client.CoreV1().Nodes().Patch(ctx, node.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}

func runPods(ctx context.Context, client kubernetes.Interface, ours map[string]bool) error {
	factory := informers.NewSharedInformerFactory(client, 0)
	pods := factory.Core().V1().Pods()
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[string](10*time.Millisecond, time.Second))
	enqueue := func(object any) {
		if pod, ok := object.(*corev1.Pod); !ok || !ours[pod.Spec.NodeName] {
			return
		}
		if key, err := cache.MetaNamespaceKeyFunc(object); err == nil {
			queue.Add(key)
		}
	}
	if _, err := pods.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: enqueue, UpdateFunc: func(_, object any) { enqueue(object) },
	}); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	work := func() {
		for {
			key, quit := queue.Get()
			if quit {
				return
			}
			namespace, name, _ := cache.SplitMetaNamespaceKey(key)
			if pod, err := pods.Lister().Pods(namespace).Get(name); err == nil {
				if err := advance(ctx, client, pod); err != nil && !errors.IsNotFound(err) {
					queue.AddRateLimited(key)
				} else {
					queue.Forget(key)
				}
			}
			queue.Done(key)
		}
	}
	for range 8 {
		go work()
	}
	<-ctx.Done()
	queue.ShutDown()
	return nil
}

// advance takes one Pod one step further in its life.
func advance(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod) error {
	api := client.CoreV1().Pods(pod.Namespace)
	switch {
	case pod.DeletionTimestamp != nil:
		now := int64(0)
		return api.Delete(ctx, pod.Name, metav1.DeleteOptions{GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &pod.UID}})
	case pod.Status.Phase == corev1.PodPending || pod.Status.Phase == "":
		return report(ctx, client, pod, corev1.PodRunning)
	case pod.Status.Phase == corev1.PodRunning && pod.Spec.RestartPolicy != corev1.RestartPolicyAlways:
		return report(ctx, client, pod, corev1.PodSucceeded)
	}
	return nil
}

func report(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod, phase corev1.PodPhase) error {
	now := metav1.Now()
	start, address := pod.Status.StartTime, pod.Status.PodIP
	if start == nil {
		start, address = &now, nextPodAddress()
	}
	ready := corev1.ConditionTrue
	if phase != corev1.PodRunning {
		ready = corev1.ConditionFalse
	}
	status := corev1.PodStatus{
		Phase: phase, StartTime: start, PodIP: address, PodIPs: []corev1.PodIP{{IP: address}},
		ContainerStatuses:     containerStatuses(pod.Spec.Containers, phase, *start, false),
		InitContainerStatuses: containerStatuses(pod.Spec.InitContainers, phase, *start, true),
	}
	for _, condition := range []corev1.PodConditionType{corev1.PodScheduled, corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady} {
		value := corev1.ConditionTrue
		if condition == corev1.ContainersReady || condition == corev1.PodReady {
			value = ready
		}
		status.Conditions = append(status.Conditions, corev1.PodCondition{Type: condition, Status: value, LastTransitionTime: now})
	}
	patch, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		return err
	}
	_, err = client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}

func containerStatuses(containers []corev1.Container, phase corev1.PodPhase, start metav1.Time, init bool) []corev1.ContainerStatus {
	now := metav1.Now()
	statuses := make([]corev1.ContainerStatus, 0, len(containers))
	for _, container := range containers {
		native := init && container.RestartPolicy != nil && *container.RestartPolicy == corev1.ContainerRestartPolicyAlways
		running := phase == corev1.PodRunning && (!init || native)
		status := corev1.ContainerStatus{Name: container.Name, Image: container.Image, ImageID: container.Image, Ready: running || init, Started: &running}
		if running {
			status.State.Running = &corev1.ContainerStateRunning{StartedAt: start}
		} else {
			status.State.Terminated = &corev1.ContainerStateTerminated{Reason: "Completed", StartedAt: start, FinishedAt: now}
		}
		statuses = append(statuses, status)
	}
	return statuses
}
