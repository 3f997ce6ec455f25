// How Go's net/http, and encoding/json with a struct, read requests: see
// Test::Flowdash::Parsers for what goes in and out.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"strings"
)

type view [3]interface{}

type object map[string]interface{}

// A task of an app's, as its author has declared it: Go looks for these names
// in any case.
type task struct {
	Stage      interface{}
	Approved   interface{}
	ApprovedBy interface{} `json:"approved_by"`
	Status     interface{}
}

type body struct {
	Task  *task
	A     *struct{ B *task }
	Tasks []*task
	task
}

func pairs(values url.Values) [][2]interface{} {
	all := [][2]interface{}{}
	for name, list := range values {
		for _, value := range list {
			all = append(all, [2]interface{}{name, value})
		}
	}
	return all
}

func files(form *multipart.Form) [][2]interface{} {
	all := [][2]interface{}{}
	if form == nil {
		return all
	}
	for name, list := range form.File {
		for _, f := range list {
			all = append(all, [2]interface{}{name, object{"$file": []interface{}{
				f.Filename, f.Header.Get("Content-Type"), f.Size}}})
		}
	}
	return all
}

func plain(value interface{}) interface{} {
	switch v := value.(type) {
	case json.Number:
		return object{"$number": string(v)}
	case []interface{}:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]interface{}:
		for name := range v {
			v[name] = plain(v[name])
		}
	}
	return value
}

func decode(data []byte, into interface{}) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	return decoder.Decode(into)
}

func read(raw []byte) ([]view, error) {
	request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		return nil, err
	}
	contentType := request.Header.Get("Content-Type")
	views := []view{{"query", "pairs", pairs(request.URL.Query())}}

	if strings.Contains(strings.ToLower(contentType), "json") {
		data, _ := io.ReadAll(request.Body)
		var value interface{}
		if err := decode(data, &value); err != nil {
			return nil, err
		}
		return append(views, view{"body", "tree", plain(value)}), nil
	}

	err = request.ParseMultipartForm(32 << 20)
	if err != nil && err != http.ErrNotMultipart {
		return nil, err
	}
	return append(views, view{"body", "pairs", pairs(request.PostForm)},
		view{"body", "pairs", files(request.MultipartForm)}), nil
}

// What a handler that decodes every body into its struct has in the fields
// which it knows.
func bind(raw []byte) ([]view, error) {
	data := raw[bytes.Index(raw, []byte("\r\n\r\n"))+4:]
	var value body
	if err := decode(data, &value); err != nil {
		return nil, err
	}

	all := object{}
	fields := func(t *task) object {
		known := object{}
		for name, value := range map[string]interface{}{
			"Stage": t.Stage, "Approved": t.Approved,
			"approved_by": t.ApprovedBy, "Status": t.Status} {
			if value != nil {
				known[name] = plain(value)
			}
		}
		return known
	}
	for name, value := range fields(&value.task) {
		all[name] = value
	}
	if value.Task != nil {
		all["task"] = fields(value.Task)
	}
	if value.A != nil && value.A.B != nil {
		all["a"] = object{"b": fields(value.A.B)}
	}
	if len(value.Tasks) > 0 && value.Tasks[0] != nil {
		all["tasks"] = []interface{}{fields(value.Tasks[0])}
	}
	return []view{{"bound", "tree", all}}, nil
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		data, err := os.ReadFile(lines.Text())
		if err != nil {
			panic(err)
		}
		for len(data) > 0 {
			length := binary.BigEndian.Uint32(data)
			raw := data[4 : 4+length]
			data = data[4+length:]

			readings := map[string][]view{}
			readings["go"], _ = read(raw)
			readings["go struct"], _ = bind(raw)
			answer, err := json.Marshal(readings)
			if err != nil {
				panic(err)
			}
			fmt.Println(string(answer))
		}
	}
}
