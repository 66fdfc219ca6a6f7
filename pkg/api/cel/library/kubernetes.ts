import type { Library } from '../declarations.ts';
import type { RegexEngine } from '../regex.ts';
import { authorizerLibrary } from './authorizer.ts';
import { formatLibrary } from './format.ts';
import { listExtensionLibrary } from './list-extension.ts';
import { kubernetesListsLibrary } from './lists.ts';
import { networkLibrary } from './network.ts';
import { optionalLibrary } from './optional.ts';
import { quantityLibrary } from './quantity.ts';
import { regexLibrary } from './regex-library.ts';
import { semverLibrary } from './semver.ts';
import { setsLibrary } from './sets.ts';
import { standardLibrary } from './standard.ts';
import { stringsLibrary } from './strings.ts';
import { twoVariablesLibrary } from './two-variables.ts';
import { urlLibrary } from './url.ts';

/** What expressions have in Kubernetes v1.36, wherever they are written. */
export function kubernetesLibraries(regex: RegexEngine): readonly Library[] {
  return [
    standardLibrary(regex),
    optionalLibrary(),
    stringsLibrary(2),
    setsLibrary(),
    twoVariablesLibrary(),
    listExtensionLibrary(),
    kubernetesListsLibrary(),
    regexLibrary(regex),
    urlLibrary(),
    quantityLibrary(),
    networkLibrary(),
    formatLibrary(),
    semverLibrary(),
    authorizerLibrary(),
  ];
}
