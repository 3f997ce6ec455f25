# Rails' own router and Sinatra, each with Puma on a port of its own.  What all
# programs in this directory have in common is said in
# t/lib/Test/Flowdash/Routers.pm.

require 'erb'
require 'puma'
require 'puma/server'
require 'logger'
require 'action_dispatch'
require 'sinatra/base'

def answer(name, id, method)
  [200, { 'X-Handler' => name, 'X-Task' => ERB::Util.url_encode(id.to_s),
          'X-Method' => method, 'Content-Length' => '0' }, []]
end

# Of Rails, what stands between its server and its controllers.

routes = ActionDispatch::Routing::RouteSet.new

routes.draw do
  handler = lambda do |name|
    lambda do |env|
      request = ActionDispatch::Request.new(env)
      answer(name, request.path_parameters[:id], request.request_method)
    end
  end

  scope '/tasks' do
    get ':id(.:format)', to: handler['show']
    post ':id/finish(.:format)', to: handler['finish']
    match ':id(.:format)', via: %i[post put patch], to: handler['save']
    delete ':id(.:format)', to: handler['destroy']
  end

  # Redmine's
  scope '/issues' do
    match 'bulk_update(.:format)', via: %i[post put patch],
                                   to: handler['bulk_update']
    match ':id/edit(.:format)', via: %i[post patch], to: handler['preview']
    get ':id(.:format)', to: handler['show']
    match ':id(.:format)', via: %i[post put patch], to: handler['update']
    delete ':id(.:format)', to: handler['destroy']
  end

  post 'login(.:format)', to: handler['login']
  match '*any', via: :all, to: handler['none'], format: false
end

rails = Rack::MethodOverride.new(Rack::Head.new(routes))


class SinatraApp < Sinatra::Base
  set :environment, :production
  enable :method_override
  disable :logging, :show_exceptions, :raise_errors

  helpers do
    def done(name)
      status, headers, = answer(name, params['id'], request.request_method)
      [status, headers, '']
    end
  end

  def self.change(path, name, verbs = %w[POST PUT PATCH])
    verbs.each { |verb| route(verb, path, {}) { done(name) } }
  end

  get('/tasks/:id') { done('show') }
  change '/tasks/:id/finish', 'finish', %w[POST]
  change '/tasks/:id', 'save'
  change '/tasks/:id', 'destroy', %w[DELETE]

  change '/issues/bulk_update', 'bulk_update'
  change '/issues/:id/edit.?:format?', 'preview', %w[POST PATCH]
  get('/issues/:id.?:format?') { done('show') }
  change '/issues/:id.?:format?', 'update'
  change '/issues/:id', 'destroy', %w[DELETE]

  change '/login', 'login', %w[POST]
  not_found { done('none') }
end


servers = [rails, SinatraApp].zip(ARGV).map do |app, port|
  server = Puma::Server.new(app)
  server.add_tcp_listener('127.0.0.1', Integer(port))
  server.run
end

servers.each(&:join)
