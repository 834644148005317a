"""Knative Serving and Kourier: installed by the program, or found in the cluster."""
