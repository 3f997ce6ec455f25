# Run by "rails runner": what the tests find in Redmine.

Setting.rest_api_enabled = '1'
Setting.login_required = '0'

admin = User.find_by(login: 'admin')
admin.update!(must_change_passwd: false, mail: 'admin@example.com')

ada = User.new(firstname: 'Ada', lastname: 'Lovelace', mail: 'ada@example.com',
               language: 'en')
ada.login = 'ada'
ada.password = ada.password_confirmation = 'ada-secret'
ada.save!
Token.where(user: ada, action: 'api').delete_all
Token.create!(user: ada, action: 'api').update_column(:value, 'a' * 40)
Token.create!(user: admin, action: 'api').update_column(:value, 'b' * 40)

project = Project.create!(name: 'Demo', identifier: 'demo', is_public: true,
                          enabled_module_names: %w[issue_tracking time_tracking],
                          trackers: Tracker.all)
Member.create!(project: project, principal: ada,
               roles: [Role.givable.find_by(name: 'Manager')])

4.times do |i|
  Issue.create!(project: project, tracker: Tracker.first, author: admin,
                subject: "Issue #{i + 1}", priority: IssuePriority.first,
                status: IssueStatus.find_by(name: 'New'))
end

puts IssueStatus.all.map { |status| "#{status.id} #{status.name}" }
