// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerd

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/image"
)

// ImageOptions are the defaults that an image gives to its containers.
type ImageOptions struct {
	Entrypoint []string
	Cmd        []string
	Env        map[string]string
	Labels     map[string]string
	User       string
}

// Import makes the image ref from scratch. files maps paths in the image to files of the host, which become executable
// files of root's, in the directories that they need; nothing else is in it, so binaries have to be static.
func (e *Engine) Import(ctx context.Context, ref string, files map[string]string, opts ImageOptions) error {
	changes, err := opts.changes()
	if err != nil {
		return fmt.Errorf("import %s: %w", ref, err)
	}
	tarball, w := io.Pipe()
	defer tarball.Close() // ends the writer, however the request ended
	go func() { w.CloseWithError(writeTar(w, files)) }()
	source := image.ImportSource{Source: tarball, SourceName: "-"}
	response, err := e.cli.ImageImport(ctx, source, ref, image.ImportOptions{Changes: changes})
	if err != nil {
		return fmt.Errorf("import %s: %w", ref, err)
	}
	defer response.Close()
	e.made.addImage(ref)
	// The status code comes before the work: only the end of the response tells that it succeeded.
	for decoder := json.NewDecoder(response); ; {
		var message struct{ Error string }
		switch err := decoder.Decode(&message); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("import %s: read the response: %w", ref, err)
		case message.Error != "":
			return fmt.Errorf("import %s: %s", ref, message.Error)
		}
	}
}

// writeTar writes a layer with files and their directories, parents first.
func writeTar(w io.Writer, files map[string]string) error {
	layer := tar.NewWriter(w)
	directories := map[string]bool{".": true}
	var mkdir func(dir string) error
	mkdir = func(dir string) error {
		if directories[dir] {
			return nil
		}
		directories[dir] = true
		if err := mkdir(path.Dir(dir)); err != nil {
			return err
		}
		return layer.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755})
	}
	for _, target := range slices.Sorted(maps.Keys(files)) {
		name := strings.TrimPrefix(path.Clean("/"+target), "/")
		if err := mkdir(path.Dir(name)); err != nil {
			return err
		}
		if err := copyFile(layer, name, files[target]); err != nil {
			return err
		}
	}
	return layer.Close()
}

func copyFile(layer *tar.Writer, name, source string) error {
	f, err := os.Open(source)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: info.Size(), Mode: 0o755, ModTime: info.ModTime()}
	if err := layer.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(layer, f)
	return err
}

// changes says o in Dockerfile instructions, the only form in which the engine takes it here.
func (o ImageOptions) changes() ([]string, error) {
	var changes []string
	list := func(instruction string, words []string) {
		if len(words) > 0 {
			text, _ := json.Marshal(words) // strings always have a JSON form
			changes = append(changes, instruction+" "+string(text))
		}
	}
	pairs := func(instruction string, values map[string]string) {
		for _, key := range slices.Sorted(maps.Keys(values)) {
			changes = append(changes, fmt.Sprintf(`%s "%s"="%s"`, instruction, escape.Replace(key), escape.Replace(values[key])))
		}
	}
	list("ENTRYPOINT", o.Entrypoint)
	list("CMD", o.Cmd)
	pairs("ENV", o.Env)
	pairs("LABEL", o.Labels)
	if o.User != "" {
		changes = append(changes, "USER "+o.User)
	}
	for _, change := range changes {
		if strings.ContainsAny(change, "\r\n") {
			return nil, fmt.Errorf("%q: an instruction is one line; give values with line breaks to the container instead", change)
		}
	}
	return changes, nil
}

// escape is for a value in double quotes, where a Dockerfile substitutes variables.
var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`)
