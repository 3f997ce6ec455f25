// Go's net/http and mime/multipart: KIND URL [NAME VALUE | NAME @FILE] ...

package main

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func form(fields []string) (*bytes.Buffer, string) {
	var buffer bytes.Buffer
	writer := multipart.NewWriter(&buffer)

	for i := 0; i < len(fields); i += 2 {
		name, value := fields[i], fields[i+1]
		if len(value) == 0 || value[0] != '@' {
			must(writer.WriteField(name, value))
			continue
		}
		content, err := os.ReadFile(value[1:])
		must(err)
		part, err := writer.CreateFormFile(name, filepath.Base(value))
		must(err)
		_, err = part.Write(content)
		must(err)
	}

	must(writer.Close())
	return &buffer, writer.FormDataContentType()
}

func main() {
	kind, to, rest := os.Args[1], os.Args[2], os.Args[3:]
	values := url.Values{}
	var err error

	if kind == "urlencoded" || kind == "query" {
		for i := 0; i < len(rest); i += 2 {
			values.Add(rest[i], rest[i+1])
		}
	}

	switch kind {
	case "urlencoded":
		_, err = http.PostForm(to, values)
	case "query":
		_, err = http.Post(to+"?"+values.Encode(), "", nil)
	case "json":
		var value, text = any(nil), []byte(nil)
		must(json.Unmarshal([]byte(rest[0]), &value))
		text, err = json.Marshal(value)
		must(err)
		_, err = http.Post(to, "application/json", bytes.NewReader(text))
	default:
		body, media := form(rest)
		_, err = http.Post(to, media, body)
	}
	must(err)
}
