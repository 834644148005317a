package frontend

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
)

//go:embed page
var files embed.FS

// render makes one document of page, style and script: a split by percentages picks a version for each request,
// so a page in three requests would mix the versions.
func render(version string, debug bool) ([]byte, error) {
	page, err := template.ParseFS(files, "page/page.html")
	if err != nil {
		return nil, fmt.Errorf("the page: %w", err)
	}
	style, err := files.ReadFile("page/page.css")
	if err != nil {
		return nil, err
	}
	script, err := files.ReadFile("page/page.js")
	if err != nil {
		return nil, err
	}
	var document bytes.Buffer
	err = page.Execute(&document, map[string]any{
		"Version": version, "Debug": debug, "Style": template.CSS(style), "Script": template.JS(script),
	})
	return document.Bytes(), err
}
