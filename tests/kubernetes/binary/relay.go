package main

import (
	"io"
	"net"
	"os"

	"github.com/spf13/cobra"
)

// newRelayCommand passes every connection to a listening socket that it inherits on to an address. The socket may be
// of another network namespace: that is how programs outside a node reach the API server inside it.
func newRelayCommand() *cobra.Command {
	var descriptor int
	var to string
	command := &cobra.Command{
		Use:   "relay",
		Short: "Pass connections from an inherited listening socket on to an address",
		RunE: func(*cobra.Command, []string) error {
			listener, err := net.FileListener(os.NewFile(uintptr(descriptor), "listener"))
			if err != nil {
				return err
			}
			for {
				client, err := listener.Accept()
				if err != nil {
					return err
				}
				go relay(client, to)
			}
		},
	}
	command.Flags().IntVar(&descriptor, "listener", 3, "file descriptor of the listening socket")
	command.Flags().StringVar(&to, "to", "", "address, such as 10.99.0.1:6443")
	return command
}

func relay(client net.Conn, to string) {
	defer client.Close()
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer server.Close()
	ended := make(chan struct{}, 2)
	for _, pair := range [][2]net.Conn{{client, server}, {server, client}} {
		go func() {
			io.Copy(pair[0], pair[1])
			ended <- struct{}{}
		}()
	}
	<-ended
}
