package main

import (
	"bytes"
	"strings"
)

// The values of the input `logging`; left out, it is the first.
var loggings = []string{"stdoutAndStderr", "stdout", "stderr", "none"}

// lineLogger is a writer that hands complete lines to a log function; a nil function drops them.
type lineLogger struct {
	log     func(string)
	pending []byte
}

// newLineLoggers are the writers for standard output and standard error that the input `logging` asks for.
func newLineLoggers(log func(string), logging *string) (stdout, stderr *lineLogger) {
	wanted := loggings[0]
	if logging != nil {
		wanted = *logging
	}
	stdout, stderr = &lineLogger{}, &lineLogger{}
	if wanted == "stdout" || wanted == "stdoutAndStderr" {
		stdout.log = log
	}
	if wanted == "stderr" || wanted == "stdoutAndStderr" {
		stderr.log = log
	}
	return stdout, stderr
}

// Write logs the lines that are complete now. It never fails.
func (l *lineLogger) Write(data []byte) (int, error) {
	if l.log == nil {
		return len(data), nil
	}
	l.pending = append(l.pending, data...)
	for {
		end := bytes.IndexByte(l.pending, '\n')
		if end < 0 {
			return len(data), nil
		}
		l.log(strings.TrimSuffix(string(l.pending[:end]), "\r"))
		l.pending = l.pending[end+1:]
	}
}

// Flush logs a last line without an end; for when the writer is closed.
func (l *lineLogger) Flush() {
	if len(l.pending) > 0 {
		l.log(string(l.pending))
		l.pending = nil
	}
}
