package discordtest

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// spec is Discord's OpenAPI 3.1 description, whose schemas are JSON Schema 2020-12.
type spec struct {
	paths    map[string]any    // the document's
	names    map[string]string // its paths by the same with bare braces
	mu       sync.Mutex
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema // by route; nil: the request has no JSON body there
}

const specURL = "file:///discord-openapi.json"

var parameter = regexp.MustCompile(`\{[^}]*\}`)

func openSpec(path string) (*spec, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open specification: %w", err)
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		return nil, fmt.Errorf("read specification: %w", err)
	}
	root := objectOf(doc)
	s := &spec{paths: objectOf(root["paths"]), names: map[string]string{}, schemas: map[string]*jsonschema.Schema{}}
	if len(s.paths) == 0 {
		return nil, fmt.Errorf("read specification %s: it describes no paths", path)
	}
	for p := range s.paths {
		s.names[parameter.ReplaceAllString(p, "{}")] = p
	}
	permissionsAreText(root)
	s.compiler = jsonschema.NewCompiler()
	s.compiler.DefaultDraft(jsonschema.Draft2020)
	if err := s.compiler.AddResource(specURL, doc); err != nil {
		return nil, fmt.Errorf("read specification: %w", err)
	}
	return s, nil
}

// permissionsAreText mends the one place where file and documentation exclude each
// other: default_member_permissions is an integer there and a string of digits here.
func permissionsAreText(root map[string]any) {
	for _, v := range objectOf(objectOf(root["components"])["schemas"]) {
		if props := objectOf(objectOf(v)["properties"]); props["default_member_permissions"] != nil {
			props["default_member_permissions"] = map[string]any{"type": []any{"string", "null"}, "pattern": "^[0-9]+$"}
		}
	}
}

// check tells what the file finds wrong with a JSON body sent to a route.
func (s *spec) check(route string, body any) ([]breach, error) {
	schema, err := s.schema(route)
	if err != nil || schema == nil {
		return nil, err
	}
	err = schema.Validate(body)
	if err == nil {
		return nil, nil
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return nil, fmt.Errorf("validate against the specification: %w", err)
	}
	var all []breach
	leaves(invalid, &all)
	slices.SortStableFunc(all, func(a, b breach) int { return len(b.path) - len(a.path) }) // the deepest says most
	return all[:min(len(all), 5)], nil
}

func leaves(e *jsonschema.ValidationError, all *[]breach) {
	if len(e.Causes) == 0 {
		text := e.Error()
		if _, after, ok := strings.Cut(text, "\n- "); ok {
			text = after
		}
		*all = append(*all, breach{e.InstanceLocation, "OPENAPI", "specification: " + text})
	}
	for _, cause := range e.Causes {
		leaves(cause, all)
	}
}

// schema compiles a route's once.
func (s *spec) schema(route string) (*jsonschema.Schema, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if schema, known := s.schemas[route]; known {
		return schema, nil
	}
	method, path, _ := strings.Cut(route, " ")
	name, ok := s.names[parameter.ReplaceAllString(path, "{}")]
	if !ok {
		return nil, fmt.Errorf("the specification has no path %s", path)
	}
	operation := objectOf(objectOf(s.paths[name])[strings.ToLower(method)])
	if operation == nil {
		return nil, fmt.Errorf("the specification has no %s", route)
	}
	var schema *jsonschema.Schema
	if objectOf(objectOf(operation["requestBody"])["content"])["application/json"] != nil {
		pointer := fmt.Sprintf("%s#/paths/%s/%s/requestBody/content/application~1json/schema",
			specURL, strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D", "@", "%40").Replace(name), strings.ToLower(method))
		var err error
		if schema, err = s.compiler.Compile(pointer); err != nil {
			return nil, fmt.Errorf("compile the schema of %s: %w", route, err)
		}
	}
	s.schemas[route] = schema
	return schema, nil
}
