// Package onsend makes a module an interceptor that sees records before they are sent: to import it exports on_send.
package onsend
