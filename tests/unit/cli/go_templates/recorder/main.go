// Records what Go makes of the templates beside it: the real text/template, Sprig, and Kubernetes' YAML.
//
//	cd tests/unit/cli/go_templates/recorder && go run .
//
// For each *.tpl in the folder above it writes *.json: for each Pod of contexts.json, with native sidecars and without,
// the data that the template's text stands for. The functions that Istio adds are written here from their description.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// Wrapped is a wrapped boolean of a protobuf message.
type Wrapped struct{ Value bool }

// GetValue gives false for a value that is not set.
func (w *Wrapped) GetValue() bool { return w != nil && w.Value }

// UnmarshalJSON reads the plain value, as JSON has it.
func (w *Wrapped) UnmarshalJSON(text []byte) error { return json.Unmarshal(text, &w.Value) }

type proxyConfig struct {
	ProxyMetadata                   map[string]string
	StatusPort                      int32
	HoldApplicationUntilProxyStarts *Wrapped
}

type meshConfig struct{ TrustDomain, RootNamespace string }

type contexts struct {
	Values      map[string]any
	MeshConfig  *meshConfig
	ProxyConfig *proxyConfig
	Workload    struct{ APIVersion, Kind, Name string }
	Namespace   string
	Pods        []corev1.Pod
}

type data struct {
	TypeMeta                                   metav1.TypeMeta
	DeploymentMeta, ObjectMeta                 metav1.ObjectMeta
	Spec                                       corev1.PodSpec
	ProxyConfig                                *proxyConfig
	MeshConfig                                 *meshConfig
	Values                                     map[string]any
	Revision, ProxyImage                       string
	NativeSidecars                             bool
	ProxyUID, ProxyGID                         int64
	InboundTrafficPolicyMode, CompliancePolicy string
}

func functions() template.FuncMap {
	all := sprig.TxtFuncMap()
	all["annotation"] = func(meta metav1.ObjectMeta, name string, fallback any) string {
		if value, found := meta.Annotations[name]; found {
			return value
		}
		return fmt.Sprint(fallback)
	}
	all["isset"] = func(values map[string]string, key string) bool { _, found := values[key]; return found }
	all["valueOrDefault"] = func(value, fallback any) any {
		if value == nil || value == "" {
			return fallback
		}
		return value
	}
	all["toYaml"] = func(value any) (string, error) { text, err := yaml.Marshal(value); return string(text), err }
	all["toJSON"] = func(values map[string]string) (string, error) {
		if values == nil {
			return "{}", nil
		}
		text, err := json.Marshal(values)
		return string(text), err
	}
	all["indent"] = func(width int, text string) string {
		return strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+strings.Repeat(" ", width))
	}
	return all
}

func render(text string, given contexts, pod corev1.Pod, native bool) (json.RawMessage, error) {
	parsed, err := template.New("").Funcs(functions()).Parse(text)
	if err != nil {
		return nil, err
	}
	meta := pod.ObjectMeta
	meta.Namespace = given.Namespace
	var printed bytes.Buffer
	err = parsed.Execute(&printed, data{
		TypeMeta:       metav1.TypeMeta{Kind: given.Workload.Kind, APIVersion: given.Workload.APIVersion},
		DeploymentMeta: metav1.ObjectMeta{Name: given.Workload.Name, Namespace: given.Namespace},
		ObjectMeta:     meta,
		Spec:           pod.Spec,
		ProxyConfig:    given.ProxyConfig,
		MeshConfig:     given.MeshConfig,
		Values:         given.Values,
		Revision:       "default",
		ProxyImage:     "example.org/istio/proxyv2:1.28.0",
		NativeSidecars: native,
		ProxyUID:       1337, ProxyGID: 1337,
		InboundTrafficPolicyMode: "passthrough",
	})
	if err != nil {
		return nil, err
	}
	return yaml.YAMLToJSON(printed.Bytes())
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	text, err := os.ReadFile("../contexts.json")
	check(err)
	var given contexts
	check(json.Unmarshal(text, &given))
	names, err := filepath.Glob("../*.tpl")
	check(err)
	for _, name := range names {
		source, err := os.ReadFile(name)
		check(err)
		var recorded []json.RawMessage
		for _, pod := range given.Pods {
			for _, native := range []bool{true, false} {
				found, err := render(string(source), given, pod, native)
				if err != nil {
					check(fmt.Errorf("%s: %w", name, err))
				}
				recorded = append(recorded, found)
			}
		}
		written, err := json.MarshalIndent(recorded, "", " ")
		check(err)
		check(os.WriteFile(strings.TrimSuffix(name, ".tpl")+".json", append(written, '\n'), 0o644))
	}
}
