// SPDX-License-Identifier: LGPL-2.1-or-later

// Renders the chart's templates where helm is not there: Go's own templates, with those of helm's functions that the chart uses.
// usage: go run render-chart.go TEMPLATES < {"Values": …, "Release": …}
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

func empty(value interface{}) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case bool:
		return !v
	case float64:
		return v == 0
	case map[string]interface{}:
		return len(v) == 0
	case []interface{}:
		return len(v) == 0
	}
	return false
}

func indent(spaces int, text string) string {
	pad := strings.Repeat(" ", spaces)
	return pad + strings.ReplaceAll(text, "\n", "\n"+pad)
}

func main() {
	var data map[string]interface{}
	fail(json.NewDecoder(os.Stdin).Decode(&data))
	all := template.New("chart").Option("missingkey=error")
	all.Funcs(template.FuncMap{
		"include": func(name string, data interface{}) (string, error) {
			var out bytes.Buffer
			err := all.ExecuteTemplate(&out, name, data)
			return out.String(), err
		},
		"default": func(fallback, value interface{}) interface{} {
			if empty(value) {
				return fallback
			}
			return value
		},
		"quote": func(value interface{}) string { return fmt.Sprintf("%q", fmt.Sprint(value)) },
		// JSON is YAML, on one line.
		"toYaml": func(value interface{}) (string, error) {
			text, err := json.Marshal(value)
			return string(text), err
		},
		"nindent":   func(spaces int, text string) string { return "\n" + indent(spaces, text) },
		"indent":    indent,
		"hasPrefix": func(prefix, text string) bool { return strings.HasPrefix(text, prefix) },
		"int":       func(value float64) int { return int(value) },
		"until": func(count int) []int {
			numbers := make([]int, count)
			for i := range numbers {
				numbers[i] = i
			}
			return numbers
		},
		"dict": func() map[string]interface{} { return map[string]interface{}{} },
		// A cluster that has nothing yet.
		"lookup":       func(...string) map[string]interface{} { return map[string]interface{}{"data": nil} },
		"randAlphaNum": func(count int) string { return strings.Repeat("r", count) },
		"b64enc":       func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) },
	})
	for _, pattern := range []string{"*.tpl", "*.yaml", "*.txt"} {
		_, err := all.ParseGlob(filepath.Join(os.Args[1], pattern))
		fail(err)
	}
	files, err := filepath.Glob(filepath.Join(os.Args[1], "*.yaml"))
	fail(err)
	for _, file := range files {
		fmt.Println("---")
		fail(all.ExecuteTemplate(os.Stdout, filepath.Base(file), data))
		fmt.Println()
	}
	var notes bytes.Buffer
	fail(all.ExecuteTemplate(&notes, "NOTES.txt", data))
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
