/** What deploy/ asks of Docker, Kubernetes, KServe and KEDA is well-formed by their schemas, safe, and meant for this command line. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Ajv } from 'ajv';
import { parse, parseAllDocuments } from 'yaml';
import { root } from '../build/root.js';

const read = (path: string) => readFileSync(`${root}deploy/${path}`, 'utf8');
const SCHEMAS = ['kubernetes', 'keda', 'kserve', 'compose'];

type Json = { readonly [key: string]: Json } & readonly Json[];
interface Manifest {
  readonly file: string;
  readonly document: Json;
}

/** The schema, with an unknown field as an error: in a manifest it is a misspelt one, and would be passed over in silence. */
function strict(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strict);
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, strict(item)]));
  const closed = copy['properties'] !== undefined && typeof copy['properties'] === 'object';
  return closed && copy['additionalProperties'] === undefined ? { ...copy, additionalProperties: false } : copy;
}

const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
for (const name of SCHEMAS) {
  const schema = JSON.parse(readFileSync(`${root}test/deploy/schemas/${name}.json`, 'utf8'));
  ajv.addSchema({ ...(strict(schema) as object), $id: name });
}

function errorsOf(schema: string, document: unknown): string[] {
  const validate = ajv.getSchema(schema);
  assert.ok(validate, `there is no schema ${schema}`);
  return validate(document)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

const SCHEMA_OF: Readonly<Record<string, string>> = {
  'apps/v1 Deployment': 'kubernetes#/definitions/io.k8s.api.apps.v1.Deployment',
  'v1 Service': 'kubernetes#/definitions/io.k8s.api.core.v1.Service',
  'v1 PersistentVolumeClaim': 'kubernetes#/definitions/io.k8s.api.core.v1.PersistentVolumeClaim',
  'autoscaling/v2 HorizontalPodAutoscaler': 'kubernetes#/definitions/io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler',
  'policy/v1 PodDisruptionBudget': 'kubernetes#/definitions/io.k8s.api.policy.v1.PodDisruptionBudget',
  'keda.sh/v1alpha1 ScaledObject': 'keda#/definitions/keda.sh.v1alpha1.ScaledObject',
  'serving.kserve.io/v1alpha1 ServingRuntime': 'kserve#/definitions/serving.kserve.io.v1alpha1.ServingRuntime',
  'serving.kserve.io/v1beta1 InferenceService': 'kserve#/definitions/serving.kserve.io.v1beta1.InferenceService',
};

const manifests: Manifest[] = ['kubernetes', 'keda', 'kserve'].flatMap((folder) =>
  readdirSync(`${root}deploy/${folder}`).flatMap((file) =>
    parseAllDocuments(read(`${folder}/${file}`)).map((document) => {
      assert.deepEqual(document.errors, [], file);
      return { file: `${folder}/${file}`, document: document.toJS() as Json };
    }),
  ),
);
const kindOf = ({ document }: Manifest) => `${document['apiVersion']} ${document['kind']}`;
const named = (kind: string) => manifests.filter((manifest) => kindOf(manifest).endsWith(` ${kind}`));
const podOf = ({ document }: Manifest) => (document['spec']?.['template']?.['spec'] ?? document['spec']) as Json;

describe('schemas', () => {
  for (const name of SCHEMAS) {
    it(`${name}: says where it is from`, () => {
      const { $comment } = JSON.parse(readFileSync(`${root}test/deploy/schemas/${name}.json`, 'utf8'));
      assert.match($comment, /npm package|https:\/\//);
    });
  }

  it('find misspelt fields and wrong values, at any depth', () => {
    const [{ document } = { document: {} as Json }] = named('Deployment');
    const text = JSON.stringify(document);
    const schema = SCHEMA_OF['apps/v1 Deployment'] as string;
    for (const [from, to] of [
      ['readinessProbe', 'readynessProbe'],
      ['"periodSeconds":2', '"periodSeconds":"2"'],
      ['runAsNonRoot', 'runAsNoRoot'],
      ['"selector"', '"selectors"'],
    ] as const) {
      assert.ok(text.includes(from));
      assert.notDeepEqual(errorsOf(schema, JSON.parse(text.replace(from, to))), [], to);
    }
  });
});

describe('manifests', () => {
  it('are there', () => assert.ok(manifests.length >= 11));

  for (const manifest of manifests) {
    it(`${manifest.file}: ${kindOf(manifest)} ${manifest.document['metadata']?.['name']}`, () => {
      const schema = SCHEMA_OF[kindOf(manifest)];
      assert.ok(schema, `no schema for ${kindOf(manifest)}`);
      assert.deepEqual(errorsOf(schema, manifest.document), []);
    });
  }

  it('run nothing as root, with capabilities, or on a file system that can be written', () => {
    const pods = [...named('Deployment'), ...named('ServingRuntime')];
    assert.ok(pods.length >= 4);
    for (const manifest of pods) {
      const pod = podOf(manifest);
      for (const container of pod['containers'] as readonly Json[]) {
        const context = { ...(pod['securityContext'] as object), ...(container['securityContext'] as object) } as Json;
        assert.equal(context['runAsNonRoot'], true, manifest.file);
        assert.ok(Number(context['runAsUser']) > 0);
        assert.equal(context['allowPrivilegeEscalation'], false);
        assert.equal(context['readOnlyRootFilesystem'], true);
        assert.deepEqual(context['capabilities'], { drop: ['ALL'] });
        assert.deepEqual(context['seccompProfile'], { type: 'RuntimeDefault' });
        assert.ok(container['readinessProbe'] && container['livenessProbe'] && container['resources']?.['limits']);
      }
    }
  });

  it('point at each other by names that exist', () => {
    const deployments = named('Deployment').map(({ document }) => document['metadata']?.['name']);
    const targets = [...named('HorizontalPodAutoscaler'), ...named('ScaledObject')];
    assert.equal(targets.length, 2);
    for (const { document } of targets) assert.ok(deployments.includes(document['spec']?.['scaleTargetRef']?.['name']));
    for (const { document, file } of [...named('Service'), ...named('PodDisruptionBudget')]) {
      const selector = document['spec']?.['selector'] as Json;
      const wanted = JSON.stringify(selector['matchLabels'] ?? selector);
      const found = named('Deployment').some(
        (one) => JSON.stringify(one.document['spec']?.['template']?.['metadata']?.['labels']) === wanted,
      );
      assert.ok(found, `${file}: no pods with ${wanted}`);
    }
    const [runtime] = named('ServingRuntime');
    const [service] = named('InferenceService');
    const model = service?.document['spec']?.['predictor']?.['model'];
    assert.equal(model?.['runtime'], runtime?.document['metadata']?.['name']);
  });

  it('scale on figures that are there: the server’s metric, the list that BullMQ keeps', () => {
    const [hpa] = named('HorizontalPodAutoscaler');
    const metric = String(hpa?.document['spec']?.['metrics']?.[0]?.['pods']?.['metric']?.['name']);
    assert.match(metric, /^bitpath_inference_/);
    const source = readFileSync(`${root}lib/serve/metrics.ts`, 'utf8');
    assert.ok(source.includes(metric), `lib/serve/metrics.ts has no ${metric}`);
    const [scaled] = named('ScaledObject');
    assert.equal(scaled?.document['spec']?.['triggers']?.[0]?.['metadata']?.['listName'], 'bull:bitpath:wait');
  });
});

describe('commands in deploy/', () => {
  const help = new Map<string, string>();
  const check = (args: readonly string[], where: string) => {
    const [command = ''] = args;
    const text =
      help.get(command) ??
      execFileSync(process.execPath, ['dist/cli/main.js', command, '--help'], { cwd: root, encoding: 'utf8' });
    help.set(command, text);
    for (const flag of args.filter((arg) => arg.startsWith('--'))) {
      assert.match(text, new RegExp(`^ {2}(-\\w, )?${flag}\\b`, 'm'), `${where}: bitpath ${command} knows no ${flag}`);
    }
  };

  it('of Kubernetes and KServe are of this command line', () => {
    let commands = 0;
    for (const manifest of [...named('Deployment'), ...named('ServingRuntime')]) {
      for (const container of podOf(manifest)['containers'] as readonly Json[]) {
        if (!String(container['image']).startsWith('bitpath')) continue;
        check(container['args'] as unknown as readonly string[], manifest.file);
        commands++;
      }
    }
    assert.equal(commands, 3);
  });

  it('of compose.yaml too, and the file is well-formed', () => {
    const compose = parse(read('compose.yaml')) as {
      services: Record<string, { image: string; command?: string[]; ports?: string[] }>;
    };
    assert.deepEqual(errorsOf('compose#/definitions/compose', compose), []);
    assert.deepEqual(Object.keys(compose.services), ['server', 'redis', 'worker']);
    const ports = Object.values(compose.services).flatMap((service) => service.ports ?? []);
    assert.equal(ports.length, 3);
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/, 'a port that other machines reach');
    check(compose.services['worker']?.command ?? [], 'compose.yaml');
  });

  it('of compose.yaml’s first lines too: workers see the folder that the batch names', () => {
    const lines = /^# {3}(PICTURES=\S+) docker compose .*\n# {3}npx bitpath (batch .*)$/m.exec(read('compose.yaml'));
    const [, pictures = '', command = ''] = lines ?? [];
    const args = command.split(' ');
    check(args, 'compose.yaml');
    assert.equal(pictures, `PICTURES=$PWD/${args[args.indexOf('--root') + 1]?.replace(/\/$/, '')}`);
  });

  it('of the Dockerfile too', () => {
    const [, args = '[]'] = /^CMD (\[.*\])$/m.exec(read('Dockerfile')) ?? [];
    check(JSON.parse(args), 'Dockerfile');
  });
});
