"""The conference application: its services, topic and tables. Knows neither kind nor Helm nor Knative's traffic."""
