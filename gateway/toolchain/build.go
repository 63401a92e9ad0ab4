package toolchain

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// DefaultTimeout is how long a build may take if Options do not say: a first build in Go compiles the standard library.
const DefaultTimeout = 5 * time.Minute

// Options of a build; the zero value keeps nothing and logs nothing.
type Options struct {
	Cache   string        // folder for what was built, made when needed; "" builds each time
	Timeout time.Duration // of the whole build; 0 is DefaultTimeout
	Log     *slog.Logger  // gets one line when a compiler starts and one when it is done; nil is silent
	Last    bool          // a build that fails gives what was built last, if that is in Cache and was made of exactly the same source
}

func (o Options) log() *slog.Logger {
	if o.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Log
}

// Info is what is known of a build.
type Info struct {
	Language Language
	Compiler string        // its version, as it says it
	Key      string        // hex SHA-256 of everything that decides what comes out
	Cached   bool          // no compiler ran
	Took     time.Duration // all in all, finding the compiler included
}

// compiler is the compiler of a language, found on this machine, for one folder of source.
type compiler interface {
	language() Language
	// version tells the compiler and its linker apart from all others.
	version() string
	// flags are the arguments that decide what comes out.
	flags() []string
	// sources are all files that decide what comes out, relative to the folder or absolute.
	sources(ctx context.Context) ([]string, error)
	// compile writes the module to out, and whatever else it wants to write to out's folder.
	compile(ctx context.Context, out string) error
}

// Build builds the module whose source is in the folder dir, and writes nothing there. The error is a *CompileError, a
// *MissingError, or one of reading and writing files.
func Build(ctx context.Context, dir string, o Options) ([]byte, Info, error) {
	start := time.Now()
	wasm, info, err := o.buildFolder(ctx, dir)
	if wasm, info, ok := o.orLast(ctx, dir, err, func() ([]byte, Info, bool) { return Cached(dir, o) }); ok {
		info.Took = time.Since(start)
		return wasm, info, nil
	}
	info.Took = time.Since(start)
	return wasm, info, err
}

func (o Options) buildFolder(ctx context.Context, dir string) ([]byte, Info, error) {
	ctx, cancel := o.deadline(ctx, dir)
	defer cancel()
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, Info{}, err
	}
	lang, err := Detect(dir)
	if err != nil {
		return nil, Info{}, err
	}
	c, err := find(ctx, lang, dir)
	if err != nil {
		return nil, Info{Language: lang}, fmt.Errorf("build %s: %w", dir, err)
	}
	info := Info{Language: lang, Compiler: c.version()}
	wasm, err := o.build(ctx, c, dir, &info)
	if err != nil {
		return nil, info, fmt.Errorf("build %s: %w", dir, err)
	}
	return wasm, info, nil
}

// find finds the compiler for the source in dir.
func find(ctx context.Context, lang Language, dir string) (compiler, error) {
	switch lang {
	case Go:
		return findGo(ctx, dir)
	case C:
		return findClang(ctx, dir, clangs())
	case Rust:
		return findRust(ctx, dir, rustcs())
	case AssemblyScript:
		return findASC(ctx, dir)
	}
	return nil, fmt.Errorf("language %q is not known", lang)
}

// deadline sets the timeout.
func (o Options) deadline(ctx context.Context, what string) (context.Context, context.CancelFunc) {
	timeout := o.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	return context.WithTimeoutCause(ctx, timeout, fmt.Errorf("building %s took longer than %v (build.timeout.ms): %w",
		what, timeout, context.DeadlineExceeded))
}

// tries is how often a build is begun anew because a source was saved while the compiler ran.
const tries = 3

func (o Options) build(ctx context.Context, c compiler, dir string, info *Info) ([]byte, error) {
	key, files, err := keyOf(ctx, c, dir)
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		info.Key = key
		if wasm, ok := cache(o.Cache).get(key); ok {
			info.Cached = try == 1
			o.rememberFolder(c, dir, key, files)
			return wasm, nil
		}
		wasm, err := o.compile(ctx, c, dir)
		if err != nil {
			return nil, err
		}
		// Sources that changed meanwhile are maybe in it, maybe not: kept under either key it could be the wrong module.
		after, filesAfter, err := keyOf(ctx, c, dir)
		if err != nil {
			return nil, err
		}
		if after == key {
			err := cache(o.Cache).put(key, wasm)
			o.rememberFolder(c, dir, key, files)
			return wasm, err
		}
		if try == tries {
			return nil, fmt.Errorf("its source changed %d times while it was built", tries)
		}
		key, files = after, filesAfter
	}
}

// keyOf is the key of what c makes of dir now, and the files that decide about it.
func keyOf(ctx context.Context, c compiler, dir string) (key string, files []string, err error) {
	if files, err = c.sources(ctx); err != nil {
		return "", nil, err
	}
	key, err = hashFiles(identity(c), dir, files)
	return key, files, err
}

// identity is what decides about a module beside its sources.
func identity(c compiler) []string {
	return append([]string{string(c.language()), c.version()}, c.flags()...)
}

// compile compiles into a temporary folder.
func (o Options) compile(ctx context.Context, c compiler, what string) ([]byte, error) {
	temp, remove, err := tempFolder()
	if err != nil {
		return nil, err
	}
	defer remove()
	log := o.log()
	log.InfoContext(ctx, "building a module from source", "source", what, "language", string(c.language()), "compiler", c.version())
	start := time.Now()
	out := filepath.Join(temp, "module.wasm")
	if err := c.compile(ctx, out); err != nil {
		return nil, err
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		return nil, err
	}
	log.InfoContext(ctx, "module built", "source", what, "bytes", len(wasm), "took", time.Since(start).Round(time.Millisecond))
	return wasm, nil
}

// tempFolder makes a folder that remove removes. What cannot be removed is left to the system.
func tempFolder() (dir string, remove func(), err error) {
	dir, err = os.MkdirTemp("", "sluice-build-")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}
