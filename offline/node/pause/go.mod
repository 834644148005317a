module knative-releases/pause

go 1.23
