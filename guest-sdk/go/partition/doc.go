// Package partition makes a module a partitioner: to import it exports partition.
package partition
