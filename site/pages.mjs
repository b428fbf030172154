// The pages of the site in reading order: what a reader who is new needs first stands first. Each is [title, file of the repository,
// name in the site where it is not the file's].
export const SECTIONS = [
  {
    title: 'Tutorial',
    pages: [
      ['Five minutes', 'docs/tutorial.md'],
      ['What it is', 'README.md', 'overview'],
      ['Projects to start from', 'examples/README.md', 'examples'],
    ],
  },
  {
    title: 'Guides',
    pages: [
      ['The pipeline', 'docs/pipeline.md'],
      ['Your own network', 'docs/builder.md'],
      ['From PyTorch', 'docs/from-pytorch.md'],
      ['From Larq', 'docs/from-larq.md'],
      ['From any ONNX file', 'docs/from-onnx.md'],
      ['Training on your pictures', 'docs/training.md'],
      ['Serving', 'docs/serving.md'],
      ['Clients', 'docs/client.md'],
      ['Millions of pictures', 'docs/batch.md'],
      ['Deployment', 'deploy/README.md', 'deploy'],
      ['Choosing threads', 'docs/threads.md'],
      ['Reading describe', 'docs/describe.md'],
      ['Import it', 'docs/modules.md'],
    ],
  },
  {
    title: 'Reference',
    pages: [
      ['Command line', 'docs/cli.md'],
      ['Errors', 'docs/errors.md'],
      ['What a version promises', 'docs/versioning.md'],
      ['Networks by name', 'docs/architectures.md'],
      ['Trained networks', 'models/README.md', 'models'],
      ['ONNX import', 'docs/onnx-import.md'],
      ['ONNX export', 'docs/onnx-export.md'],
    ],
  },
  {
    title: 'Science',
    pages: [
      ['Gradient paths', 'docs/gradient-paths.md'],
      ['Analysis of graphs', 'docs/analysis.md'],
      ['Pictures of paths', 'docs/pictures.md'],
      ['The paper, statement by statement', 'docs/paper.md'],
      ['The claim, tested', 'docs/claim.md'],
      ['The first study in full', 'training/results/claim-first.md', 'claim-first'],
      ['The training code', 'training/README.md', 'training-code'],
    ],
  },
  {
    title: 'Benchmarks',
    pages: [
      ['Method and results', 'docs/benchmark.md'],
      ['Comparison', 'docs/comparison.md'],
    ],
  },
  {
    title: 'Contributing',
    pages: [
      ['How to take part', 'CONTRIBUTING.md', 'contributing'],
      ['Architecture', 'ARCHITECTURE.md', 'architecture'],
      ['Adding a kernel', 'docs/adding-a-kernel.md'],
      ['Adding an op', 'docs/adding-an-op.md'],
      ['Adding an architecture', 'docs/adding-an-architecture.md'],
      ['Security', 'SECURITY.md', 'security'],
      ['Changes', 'CHANGELOG.md', 'changelog'],
    ],
  },
];

/** Files of the repository → names in the site. */
export const PAGES = new Map([
  ['docs/index.md', 'index'],
  ...SECTIONS.flatMap(({ pages }) =>
    pages.map(([, file, name]) => [file, name ?? file.replace(/^docs\/(.*)\.md$/, '$1')]),
  ),
]);
