import type { Expr } from './ast.ts';
import { type Checked, check, type NamedValue, type Scope } from './checker.ts';
import { Compiler } from './compile.ts';
import type { DeclType } from './decl-type.ts';
import { FunctionTable, type Library } from './declarations.ts';
import { type CostEstimate, estimateCost } from './estimate.ts';
import { Failure } from './failure.ts';
import { checkLiterals } from './literal-checks.ts';
import type { Macro, MacroSet } from './macros.ts';
import { parse } from './parser.ts';
import { Program } from './program.ts';
import { formatIssues, type Issue, ParseFailure } from './source.ts';
import type { Step } from './step.ts';
import { type CelType, DYN } from './types.ts';
import type { Value } from './values.ts';

export interface VariableDecl {
  readonly type: CelType;
  /** How JSON data reads, and what it may cost. */
  readonly decl?: DeclType;
}

export interface EnvironmentOptions {
  readonly variables: ReadonlyMap<string, VariableDecl>;
  readonly libraries: readonly Library[];
  /** The namespace that names are looked up in first. */
  readonly container?: string;
  /** Elements of list and map literals must have one type, and formats must fit their values, as Kubernetes wants. Default true. */
  readonly strictLiterals?: boolean;
  /** Constants are worked out when an expression is compiled, as Kubernetes has it. Default true. */
  readonly foldConstants?: boolean;
  /** Types whose values expressions can write down: `Name{field: value}`. */
  readonly structs?: (name: string) => StructDecl | undefined;
  /** Field names may be written in backticks; not in Kubernetes. */
  readonly escapedNames?: boolean;
}

/** A type with a literal form. */
export interface StructDecl {
  readonly type: CelType;
  /** The type of a field; undefined: there is none of this name. */
  field(name: string): CelType | undefined;
}

export interface Compiled {
  readonly program: Program;
  readonly checked: Checked;
}

export interface CompileIssues {
  readonly issues: readonly Issue[];
  /** All issues as cel-go prints them. */
  readonly message: string;
}

/** The names and functions that expressions may use. Immutable; `extend` shares the functions. */
export class Environment {
  readonly #options: EnvironmentOptions;
  readonly #functions: FunctionTable;
  readonly #macros: MacroSet;
  readonly #constants: ReadonlyMap<string, { readonly type: CelType; readonly value: Value }>;

  constructor(options: EnvironmentOptions, base?: Environment) {
    this.#options = options;
    if (base !== undefined) {
      this.#functions = base.#functions;
      this.#macros = base.#macros;
      this.#constants = base.#constants;
      return;
    }
    const { libraries } = options;
    this.#functions = new FunctionTable(libraries);
    this.#macros = new Map<string, Macro>(libraries.flatMap((library) => [...(library.macros ?? [])]));
    this.#constants = new Map(libraries.flatMap((library) => [...(library.constants ?? [])]));
  }

  /** This environment with more variables. */
  extend(variables: ReadonlyMap<string, VariableDecl>): Environment {
    return new Environment({ ...this.#options, variables: new Map([...this.#options.variables, ...variables]) }, this);
  }

  /** Parses, checks and compiles an expression. Never throws for what the expression says. */
  compile(text: string): Compiled | CompileIssues {
    const parsed = this.#parse(text);
    if ('issues' in parsed) return parsed;
    const checked = check(parsed.expr, this.#scope());
    if ('issues' in checked) return { issues: checked.issues, message: formatIssues(text, checked.issues) };
    const issues = checkLiterals(checked, this.#functions, this.#options.strictLiterals ?? true);
    if (issues.length > 0) return { issues, message: formatIssues(text, issues) };
    return { program: this.#program(checked), checked };
  }

  /** Compiles without checking types: everything is found out at run time. */
  compileUnchecked(text: string): Compiled | CompileIssues {
    const parsed = this.#parse(text);
    if ('issues' in parsed) return parsed;
    const checked = { expr: parsed.expr, type: DYN, types: new Map(), references: new Map() };
    return { program: this.#program(checked), checked };
  }

  /** What an evaluation may cost, from the sizes that the variables' schemas allow. */
  estimateCost(compiled: Compiled): CostEstimate {
    return estimateCost(compiled.checked, (name) => this.#options.variables.get(name)?.decl);
  }

  #parse(text: string): { expr: Expr } | CompileIssues {
    try {
      return { expr: parse(text, this.#macros, this.#options.escapedNames) };
    } catch (failure) {
      if (!(failure instanceof ParseFailure)) throw failure;
      return { issues: failure.issues, message: formatIssues(text, failure.issues) };
    }
  }

  #scope(): Scope {
    return {
      container: this.#options.container ?? '',
      functions: this.#functions,
      strictLiterals: this.#options.strictLiterals ?? true,
      struct: (name) => this.#options.structs?.(name),
      find: (name): NamedValue | undefined => this.#options.variables.get(name) ?? this.#constants.get(name),
    };
  }

  #program(checked: Checked): Program {
    const compiler = new Compiler(
      {
        functions: this.#functions,
        container: this.#options.container ?? '',
        foldConstants: this.#options.foldConstants ?? true,
        constantOf: (name) =>
          this.#options.variables.has(name) ? undefined : this.#constants.get(name.replace(/^\./, ''))?.value,
        isVariable: (name) => this.#options.variables.has(name.replace(/^\./, '')),
      },
      checked,
    );
    const step = compileOrFail(() => compiler.compile(checked.expr));
    const variables = compiler.variables.map((name) => ({ name, decl: this.#options.variables.get(name)?.decl }));
    return new Program(step, checked.type, compiler.slotCount, variables);
  }
}

/** What cannot be compiled (an unknown function in an unchecked expression) fails when it runs. */
function compileOrFail(compile: () => Step): Step {
  try {
    return compile();
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    return {
      run: () => {
        throw failure;
      },
    };
  }
}
