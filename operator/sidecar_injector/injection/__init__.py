"""The path of one Pod, pure: an AdmissionReview in, a decision and a JSON Patch out.

In the order in which a request passes: `review` (what was asked), `decide` (inject, and if not, why), `status` (what an
earlier injection left, taken out again), `render` (templates into overlays), `conform` (overlays against the Pod's
schema), `overlay` (lowering, merging, placing; on top of `merge`, the strategic merge patch), `finish` (the result's
last checks and its status annotation), `patch` (RFC 6902 operations), `respond` (the AdmissionReview that goes back).
`pipeline` is the sequence itself; `facts`, `schema` and `workload` are what several steps know about the cluster, the
types of a Pod, and the Pod's owner.
"""
