// Package registry keeps the modules that users upload: content-addressed versions, which of them is active, which one is
// tried as canary or shadow, and the bindings of topics that were made through the API. It says which version of a module
// runs; which module a topic uses is said by the file or by a binding. It knows nothing of WebAssembly, HTTP or Kafka: a
// version is bytes, a configuration is JSON.
//
// What is kept lies in a Store. The directory store survives a kill at any point with the old or the new state. All methods
// are safe for concurrent use, and reading never waits for writing.
package registry
