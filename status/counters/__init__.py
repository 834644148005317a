"""What the cluster counts of each revision's requests by itself: by the ingress gateway and by Knative's queue-proxies.

Read by `make status` and, for verdicts, by `analysis.sources.gateway`. Nothing here sends a request to a service.
"""
