package main

import (
	"context"
	"net"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/net/dns/dnsmessage"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	serviceZone   = ".svc.cluster.local."
	secondsToLive = 5
	datagramBytes = 1500
)

// newDNSCommand answers questions for the addresses of Services (IPv4, UDP), as the kubelet promises to Pods:
// the ClusterIP, or for a headless Service the addresses of its ready endpoints, also one by one by their host names.
func newDNSCommand() *cobra.Command {
	var kubeconfig, listen string
	command := &cobra.Command{
		Use:   "dns",
		Short: "Answer for the names of Services",
		RunE: func(*cobra.Command, []string) error {
			ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
			if err != nil {
				return err
			}
			client, err := kubernetes.NewForConfig(config)
			if err != nil {
				return err
			}
			factory := informers.NewSharedInformerFactory(client, 0)
			names := serviceNames{factory.Core().V1().Services().Lister(), factory.Discovery().V1().EndpointSlices().Lister()}
			factory.Start(ctx.Done())
			factory.WaitForCacheSync(ctx.Done())
			socket, err := net.ListenPacket("udp", listen)
			if err != nil {
				return err
			}
			return names.serve(socket)
		},
	}
	command.Flags().StringVar(&kubeconfig, "kubeconfig", "", "kubeconfig of the cluster")
	command.Flags().StringVar(&listen, "listen", "127.0.0.1:53", "address and port to answer at")
	return command
}

type serviceNames struct {
	services corelisters.ServiceLister
	slices   discoverylisters.EndpointSliceLister
}

func (s serviceNames) serve(socket net.PacketConn) error {
	for buffer := make([]byte, datagramBytes); ; {
		length, client, err := socket.ReadFrom(buffer)
		if err != nil {
			return err
		}
		var query dnsmessage.Message
		if query.Unpack(buffer[:length]) != nil || len(query.Questions) != 1 {
			continue
		}
		response := s.answer(query)
		if packed, err := response.Pack(); err == nil {
			socket.WriteTo(packed, client)
		}
	}
}

func (s serviceNames) answer(query dnsmessage.Message) dnsmessage.Message {
	question := query.Questions[0]
	response := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: query.ID, Response: true, Authoritative: true, RecursionDesired: query.RecursionDesired},
		Questions: query.Questions,
	}
	addresses, known := s.lookup(strings.ToLower(question.Name.String()))
	if !known {
		response.RCode = dnsmessage.RCodeNameError
		return response
	}
	if question.Type != dnsmessage.TypeA {
		return response
	}
	for _, address := range addresses {
		if v4 := net.ParseIP(address).To4(); v4 != nil {
			response.Answers = append(response.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: question.Name, Class: question.Class, TTL: secondsToLive},
				Body:   &dnsmessage.AResource{A: [4]byte(v4)},
			})
		}
	}
	return response
}

// lookup returns the addresses behind a name, and whether there is such a name at all.
func (s serviceNames) lookup(name string) ([]string, bool) {
	local, inZone := strings.CutSuffix(name, serviceZone)
	parts := strings.Split(local, ".")
	if !inZone || len(parts) < 2 || len(parts) > 3 {
		return nil, false
	}
	host := ""
	if len(parts) == 3 {
		host = parts[0]
	}
	service, err := s.services.Services(parts[len(parts)-1]).Get(parts[len(parts)-2])
	if err != nil {
		return nil, false
	}
	if service.Spec.ClusterIP != corev1.ClusterIPNone {
		return []string{service.Spec.ClusterIP}, host == ""
	}
	addresses := s.endpoints(service, host)
	return addresses, host == "" || len(addresses) > 0
}

func (s serviceNames) endpoints(service *corev1.Service, host string) (addresses []string) {
	slices, _ := s.slices.EndpointSlices(service.Namespace).List(labels.SelectorFromSet(labels.Set{discoveryv1.LabelServiceName: service.Name}))
	for _, slice := range slices {
		for _, endpoint := range slice.Endpoints {
			ready := endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready
			if ready && (host == "" || endpoint.Hostname != nil && *endpoint.Hostname == host) {
				addresses = append(addresses, endpoint.Addresses...)
			}
		}
	}
	return addresses
}
