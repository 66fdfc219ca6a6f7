import type { Status } from '../../api/generated/types.ts';
import { type Answer, answerObject } from '../registry/answer.ts';
import type { AuditRecord } from './record.ts';

/** Records what the registry answers with. */
export function recordAnswer(audit: AuditRecord, answer: Answer): void {
  if (answer.kind === 'object' && answer.object['kind'] === 'Status') audit.ended(answer.object as unknown as Status);
  else audit.answered(() => answerObject(answer));
}
