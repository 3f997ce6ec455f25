// Tomcat with servlets.  What all programs in this directory have in common is
// said in t/lib/Test/Flowdash/Routers.pm.

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.catalina.Context;
import org.apache.catalina.startup.Tomcat;

public class TomcatRouter {

    interface Route {
        String handler(String[] path, String method);
    }

    static class Servlet extends HttpServlet {
        private final Route route;

        Servlet(Route route) {
            this.route = route;
        }

        @Override
        protected void service(HttpServletRequest request,
                               HttpServletResponse response) {
            String info = request.getPathInfo();
            String[] path = (info == null ? "" : info.substring(1)).split("/");
            String id = URLEncoder.encode(path[0], StandardCharsets.UTF_8);

            response.setHeader("X-Handler",
                               route.handler(path, request.getMethod()));
            response.setHeader("X-Task", id.replace("+", "%20"));
            response.setHeader("X-Method", request.getMethod());
        }
    }

    static String task(String[] path, String method) {
        return path.length > 1 && path[1].equals("finish") ? "finish"
            : path.length > 1 ? "none"
            : method.equals("DELETE") ? "destroy" : "save";
    }

    static String issue(String[] path, String method) {
        return path[0].equals("bulk_update") ? "bulk_update"
            : path.length > 1 && path[1].equals("edit.js") ? "preview"
            : path.length > 1 ? "none"
            : method.equals("DELETE") ? "destroy" : "update";
    }

    public static void main(String[] arguments) throws Exception {
        Logger.getLogger("").setLevel(Level.SEVERE);

        String dir = System.getProperty("user.dir");
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(dir);
        tomcat.setHostname("127.0.0.1");
        tomcat.setPort(Integer.parseInt(arguments[0]));
        tomcat.getConnector().setProperty("address", "127.0.0.1");

        Context context = tomcat.addContext("", dir);
        add(context, "/tasks/*", TomcatRouter::task);
        add(context, "/issues/*", TomcatRouter::issue);
        add(context, "/login", (path, method) -> "login");
        add(context, "/", (path, method) -> "none");

        tomcat.start();
        tomcat.getServer().await();
    }

    private static void add(Context context, String pattern, Route route) {
        Tomcat.addServlet(context, pattern, new Servlet(route));
        context.addServletMappingDecoded(pattern, pattern);
    }
}
