import { join } from 'node:path';
import { compile } from '../build.d/compile.ts';

/** Compiles the program that stands before runc to `output`. */
export function buildRuncFront(output: string): void {
  compile([join(import.meta.dirname, 'front.c'), join(import.meta.dirname, '../cni/json.c')], output);
}
