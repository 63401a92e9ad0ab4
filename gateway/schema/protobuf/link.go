package protobuf

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/parser"
	"github.com/bufbuild/protocompile/reporter"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"sluice/gateway/schema/codec"
)

// link compiles a schema with what it imports. files has it and all of them.
func link(schema []byte, refs []codec.Reference, l Limits) (protoreflect.FileDescriptor, *protoregistry.Files, error) {
	if err := l.check(schema, refs); err != nil {
		return nil, nil, err
	}
	s := sources{limits: l, texts: map[string][]byte{}, parsed: map[string]protocompile.SearchResult{}}
	for _, r := range refs {
		if _, ok := s.texts[r.Name]; ok {
			return nil, nil, fmt.Errorf("two references are called %q", r.Name)
		}
		s.texts[r.Name] = r.Schema
	}
	root := "schema.proto" // errors name it
	for s.texts[root] != nil {
		root = "_" + root
	}
	s.texts[root] = schema
	if err := s.parse(root); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), l.Time)
	defer cancel()
	compiler := protocompile.Compiler{Resolver: protocompile.ResolverFunc(s.find), MaxParallelism: 1}
	compiled, err := compiler.Compile(ctx, root)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, nil, fmt.Errorf("compiling took longer than %v (schema.protobuf.compile.timeout.ms)", l.Time)
	}
	if err != nil {
		return nil, nil, err
	}
	files := &protoregistry.Files{}
	return compiled[0], files, register(files, compiled[0])
}

// sources are the files that a schema may import, under the names it imports them by.
type sources struct {
	limits Limits
	texts  map[string][]byte
	parsed map[string]protocompile.SearchResult // of those that it does import
	size   size
}

// parse parses a file and all that it imports, and keeps to the limits before anything is done that costs more than its size.
func (s *sources) parse(name string) error {
	text, ok := s.texts[name]
	if _, done := s.parsed[name]; done || !ok {
		return nil // without a text it is a built-in one, or there is none, as find will say
	}
	fd, ok := serialized(text, s.limits.Nesting)
	if ok {
		fd.Name = &name
		s.parsed[name] = protocompile.SearchResult{Proto: fd}
	} else {
		if err := s.limits.checkNesting(name, text); err != nil {
			return err
		}
		result, err := parseText(name, text)
		if err != nil {
			return err
		}
		fd = result.FileDescriptorProto()
		s.parsed[name] = protocompile.SearchResult{ParseResult: result}
	}
	s.size.file(fd)
	if err := s.limits.checkSize(s.size); err != nil {
		return err
	}
	for _, imported := range fd.GetDependency() {
		if err := s.parse(imported); err != nil {
			return err
		}
	}
	return nil
}

func parseText(name string, text []byte) (parser.Result, error) {
	h := reporter.NewHandler(nil)
	tree, err := parser.Parse(name, bytes.NewReader(text), h)
	if err != nil {
		return nil, err
	}
	return parser.ResultFromAST(tree, true, h)
}

// serialized is the descriptor that a schema is in base64. Every .proto text has a character that base64 has not.
func serialized(schema []byte, maxDepth int) (*descriptorpb.FileDescriptorProto, bool) {
	schema = bytes.TrimSpace(schema)
	raw, err := base64.StdEncoding.AppendDecode(nil, schema)
	if err != nil || len(raw) == 0 {
		return nil, false
	}
	d := &descriptorpb.FileDescriptorProto{}
	if err := (proto.UnmarshalOptions{RecursionLimit: maxDepth + 10}).Unmarshal(raw, d); err != nil {
		return nil, false
	}
	return d, true
}

// find is the resolver of the compiler. It knows no file system.
func (s *sources) find(path string) (protocompile.SearchResult, error) {
	if strings.HasPrefix(path, "google/protobuf/") {
		// Those that the library has must be its own: it knows their JSON forms.
		if r, err := protocompile.WithStandardImports(protocompile.ResolverFunc(nowhere)).FindFileByPath(path); err == nil {
			return r, nil
		}
	}
	if r, ok := s.parsed[path]; ok {
		return r, nil
	}
	if text := builtin(path); text != "" {
		return protocompile.SearchResult{Source: strings.NewReader(text)}, nil
	}
	return nowhere(path)
}

func nowhere(path string) (protocompile.SearchResult, error) {
	return protocompile.SearchResult{}, fmt.Errorf("no reference is called %q", path)
}

// register adds a file, after those that it imports.
func register(files *protoregistry.Files, fd protoreflect.FileDescriptor) error {
	if _, err := files.FindFileByPath(fd.Path()); err == nil {
		return nil
	}
	for i := range fd.Imports().Len() {
		if err := register(files, fd.Imports().Get(i).FileDescriptor); err != nil {
			return err
		}
	}
	return files.RegisterFile(fd)
}
