# A session of Debian's ruby-kubeclient against a cluster: kubeclient.rb KUBECONFIG. Prints `session complete` at its end.
require 'kubeclient'
require 'timeout'

NAMESPACE = 'default'.freeze
GROUP = 'ruby.example.com'.freeze

def check(what, value)
  raise "#{what}: #{value.inspect}" unless value
end

def refused(code)
  yield
  raise "not refused with #{code}"
rescue Kubeclient::HttpError => e
  check('error code', e.error_code == code)
  e
end

def eventually(what)
  Timeout.timeout(100) do
    loop do
      found = yield
      return found if found

      sleep 0.2
    end
  end
rescue Timeout::Error
  raise "#{what}: not in time"
end

# Both of the ways that it knows to say who it is: the kubeconfig's certificate here, a token below.
config = Kubeclient::Config.read(ARGV.fetch(0)).context
def client(config, path, version, auth = {})
  ssl = auth.empty? ? config.ssl_options : config.ssl_options.slice(:verify_ssl, :cert_store, :ca_file)
  Kubeclient::Client.new(config.api_endpoint + path, version, ssl_options: ssl, auth_options: auth)
end
core = client(config, '/api', 'v1')
apps = client(config, '/apis/apps', 'v1')
extensions = client(config, '/apis/apiextensions.k8s.io', 'v1')

# Discovery: its methods come from the lists of resources.
check('api versions', core.api['versions'] == ['v1'])
check('api valid', core.api_valid?)
core.discover
check('discovered', core.respond_to?(:get_pods) && core.respond_to?(:create_config_map))
check('not in the core group', !core.respond_to?(:get_deployments))
check('nodes', core.get_nodes.all? { |node| node.status.nodeInfo.kubeletVersion.start_with?('v1.36') })

# Create, get, update, patches, delete.
map = Kubeclient::Resource.new(metadata: { name: 'ruby', namespace: NAMESPACE, labels: { by: 'ruby' } }, data: { a: '1' })
made = core.create_config_map(map)
check('uid', made.metadata.uid)
refused(409) { core.create_config_map(map) }
refused(404) { core.get_config_map('absent', NAMESPACE) }
made.data.b = '2'
updated = core.update_config_map(made)
check('updated', updated.data.to_h == { a: '1', b: '2' })
refused(409) { core.update_config_map(made) }
core.patch_config_map('ruby', { data: { c: '3' } }, NAMESPACE)
core.merge_patch_config_map('ruby', { data: { a: nil } }, NAMESPACE)
core.json_patch_config_map('ruby', [{ op: 'replace', path: '/data/b', value: '9' }], NAMESPACE)
check('patched', core.get_config_map('ruby', NAMESPACE).data.to_h == { b: '9', c: '3' })
check('raw', JSON.parse(core.get_config_map('ruby', NAMESPACE, as: :raw))['kind'] == 'ConfigMap')
# Not a resource: without Rails it does not turn those that are applied into JSON.
applied = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'ruby-applied', namespace: NAMESPACE }, data: { a: '1' } }
core.apply_config_map(applied, field_manager: 'ruby', force: true)
manager = core.get_config_map('ruby-applied', NAMESPACE).metadata.managedFields.first
check('applied', manager.manager == 'ruby' && manager.operation == 'Apply')

# Lists: selectors, pages.
check('selected', core.get_config_maps(namespace: NAMESPACE, label_selector: 'by=ruby').map { |one| one.metadata.name } == ['ruby'])
page = core.get_config_maps(limit: 1)
pages = 1
until page.last?
  page = core.get_config_maps(limit: 1, continue: page.continue)
  pages += 1
end
check('pages', pages == core.get_config_maps.size)

# A watch from where a list ended.
version = core.get_secrets(namespace: NAMESPACE).resourceVersion
events = []
watcher = core.watch_secrets(namespace: NAMESPACE, resource_version: version, field_selector: 'metadata.name=ruby')
watching = Thread.new { watcher.each { |notice| events << "#{notice.type} #{notice.object.metadata.name}" } }
core.create_secret(Kubeclient::Resource.new(metadata: { name: 'ruby', namespace: NAMESPACE }, stringData: { a: 'b' }))
core.delete_secret('ruby', NAMESPACE)
eventually('events') { events.size >= 2 }
check('events', events == ['ADDED ruby', 'DELETED ruby'])
watcher.finish
watching.join(10)

# A Deployment, and the logs of its pod.
apps.create_deployment(Kubeclient::Resource.new(
  metadata: { name: 'ruby', namespace: NAMESPACE },
  spec: {
    selector: { matchLabels: { app: 'ruby' } },
    template: {
      metadata: { labels: { app: 'ruby' } },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'main', image: 'busybox:test', command: ['sh', '-c', 'echo one; echo two; sleep 3600'] }]
      }
    }
  }
))
eventually('available') { apps.get_deployment('ruby', NAMESPACE).status.availableReplicas == 1 }
pod = core.get_pods(namespace: NAMESPACE, label_selector: 'app=ruby').first.metadata.name
eventually('logs') { core.get_pod_log(pod, NAMESPACE).body == "one\ntwo\n" }
check('tail', core.get_pod_log(pod, NAMESPACE, container: 'main', tail_lines: 1).body == "two\n")
lines = []
stream = core.watch_pod_log(pod, NAMESPACE)
reading = Thread.new { stream.each { |line| lines << line } }
eventually('streamed logs') { lines == %w[one two] }
stream.finish
reading.join(10)
deleted = apps.delete_deployment('ruby', NAMESPACE,
                                 delete_options: Kubeclient::Resource.new(propagationPolicy: 'Foreground'))
check('foreground', deleted.metadata.finalizers == ['foregroundDeletion'])
eventually('gone') { core.get_pods(namespace: NAMESPACE, label_selector: 'app=ruby').empty? }

# Custom resources, the same way as built-in ones.
properties = { spec: { type: 'object', properties: { size: { type: 'integer', minimum: 0 }, color: { type: 'string', default: 'red' } } } }
extensions.create_custom_resource_definition(Kubeclient::Resource.new(
  metadata: { name: "gems.#{GROUP}" },
  spec: {
    group: GROUP, scope: 'Namespaced', names: { plural: 'gems', singular: 'gem', kind: 'Gem' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties: properties } } }]
  }
))
gems = eventually('discovered') do
  found = client(config, "/apis/#{GROUP}", 'v1')
  found.discover
  found if found.respond_to?(:get_gems)
rescue Kubeclient::ResourceNotFoundError
  nil
end
ruby = Kubeclient::Resource.new(metadata: { name: 'ruby', namespace: NAMESPACE }, spec: { size: 3 })
check('defaulted', gems.create_gem(ruby).spec.color == 'red')
ruby.metadata.name = 'wrong'
ruby.spec.size = -1
check('field', refused(422) { gems.create_gem(ruby) }.message.include?('spec.size'))
check('listed', gems.get_gems(namespace: NAMESPACE).map { |gem| gem.metadata.name } == ['ruby'])
gems.delete_gem('ruby', NAMESPACE)
extensions.delete_custom_resource_definition("gems.#{GROUP}")

# A token of an account, by which nothing is allowed.
core.create_service_account(Kubeclient::Resource.new(metadata: { name: 'ruby', namespace: NAMESPACE }))
core.create_secret(Kubeclient::Resource.new(
  metadata: { name: 'ruby-token', namespace: NAMESPACE, annotations: { 'kubernetes.io/service-account.name' => 'ruby' } },
  type: 'kubernetes.io/service-account-token'
))
token = eventually('token') { core.get_secret('ruby-token', NAMESPACE).data&.token }
limited = client(config, '/api', 'v1', bearer_token: Base64.decode64(token))
check('forbidden', refused(403) { limited.get_pods(namespace: NAMESPACE) }.message.include?('system:serviceaccount:default:ruby'))

%w[ruby ruby-applied].each { |name| core.delete_config_map(name, NAMESPACE) }
puts 'session complete'
