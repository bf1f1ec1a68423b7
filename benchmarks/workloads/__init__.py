"""What is injected: different workloads as API servers would send their Pods, and not one Pod repeated.

`table` says what there is, in the words of `model`; `pods` makes Pods of it, with what Kubernetes fills in; `reviews`
makes the AdmissionReviews, of which each that is sent differs as those of one workload do.
"""

from benchmarks.workloads.model import Container, Owner, Workload
from benchmarks.workloads.pods import pod
from benchmarks.workloads.reviews import Envelope, envelope, review
from benchmarks.workloads.table import NAMESPACES, WORKLOADS

__all__ = ["NAMESPACES", "WORKLOADS", "Container", "Envelope", "Owner", "Workload", "envelope", "pod", "review"]
