"""Which components the settings ask for, where there is a choice. The only place that knows settings and components."""
