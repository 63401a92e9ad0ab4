// Package onack makes a module an interceptor that sees what came of records: to import it exports on_ack.
package onack
