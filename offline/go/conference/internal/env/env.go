// Package env reads the settings of a service, which are environment variables only.
package env

import (
	"fmt"
	"os"
)

// String is the value of a variable, or the fallback when it is unset or empty.
func String(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}

// Required is the value of a variable that has no sensible default.
func Required(name string) (string, error) {
	value := os.Getenv(name)
	if value == "" {
		return "", fmt.Errorf("the environment variable %s is not set", name)
	}
	return value, nil
}
