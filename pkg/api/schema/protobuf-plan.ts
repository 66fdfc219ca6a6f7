import type { Schema } from '../schema.ts';

/** One field of a message: a field of the JSON object, or a message that JSON has inlined. */
export interface PlanNode {
  readonly number: number;
  /** The JSON field; absent for an inlined message. */
  readonly name?: string;
  readonly schema?: Schema;
  readonly inlined?: MessagePlan;
}

/** How a type is laid out in protobuf. */
export interface MessagePlan {
  readonly nodes: PlanNode[];
  readonly byNumber: Map<number, PlanNode>;
}

/** The layout of a struct; found once for every type. Fields without a number have no place in protobuf. */
export function messagePlan(schema: Schema): MessagePlan {
  const { properties } = schema;
  if (properties === undefined) return EMPTY;
  let plan = plans.get(properties);
  if (plan === undefined) {
    plan = emptyPlan();
    for (const [name, field] of properties)
      if (field.fieldNumber !== undefined) place(plan, field.fieldNumber, name, field);
    plans.set(properties, plan);
  }
  return plan;
}

const plans = new WeakMap<ReadonlyMap<string, Schema>, MessagePlan>();

function emptyPlan(): MessagePlan {
  return { nodes: [], byNumber: new Map() };
}

const EMPTY = emptyPlan();

function place(plan: MessagePlan, path: readonly number[], name: string, schema: Schema): void {
  const [number = 0, ...rest] = path;
  let node: PlanNode;
  if (rest.length === 0) {
    node = { number, name, schema };
  } else {
    const known = plan.byNumber.get(number);
    const inlined = known?.inlined ?? emptyPlan();
    place(inlined, rest, name, schema);
    if (known !== undefined) return;
    node = { number, inlined };
  }
  plan.byNumber.set(number, node);
  plan.nodes.push(node);
  plan.nodes.sort((a, b) => a.number - b.number);
}

/** Lists that are messages of their own with the items in field 1: the values of maps of lists, and APIResource's verbs. */
export function isWrappedList(schema: Schema, insideMap: boolean): boolean {
  return schema.type === 'array' && (insideMap || schema.goType === 'v1.Verbs');
}
