// Package host is what the host gives to a guest: the imports of sluice_v1. Compiled for anything but wasip1 it is a fake
// that writes down what was asked of it, so that guests can be tested on the machine they are written on.
package host
