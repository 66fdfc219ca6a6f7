/**
 * What `kubectl get` shows: the columns and cells of every built-in kind, of custom resources by their
 * additionalPrinterColumns, and the meta.k8s.io/v1 Table that carries them. Content negotiation belongs to the API server.
 * Corresponds to upstream's pkg/printers and to the table convertors of the apiserver libraries.
 */
export { humanDuration } from './human-duration.ts';
export { jsonPathPrinter, type PrinterColumn } from './json-path-printer.ts';
export { createdAtPrinter } from './printer.ts';
export { printerFor } from './registry.ts';
export { type IncludeObject, partialMetadata, renderTable, type Table, type TableOptions } from './table.ts';
