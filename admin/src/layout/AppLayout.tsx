import AccountTreeOutlined from '@mui/icons-material/AccountTreeOutlined';
import HistoryOutlined from '@mui/icons-material/HistoryOutlined';
import InboxOutlined from '@mui/icons-material/InboxOutlined';
import TableRowsOutlined from '@mui/icons-material/TableRowsOutlined';
import UploadFileOutlined from '@mui/icons-material/UploadFileOutlined';
import { ListSubheader, MenuItem, Select, Typography } from '@mui/material';
import { createContext, useContext, useEffect, useState, type ReactElement, type ReactNode } from 'react';
import { AppBar, Layout, Logout, Menu, TitlePortal, useGetIdentity, UserMenu, useSidebarState } from 'react-admin';
import { useNavigate } from 'react-router-dom';
import { listApps, type AppSummary, type Discovery } from '../discovery.ts';

const DiscoveryContext = createContext<Discovery | undefined>(undefined);
export const DiscoveryProvider = DiscoveryContext.Provider;

/** The active app as discovery describes it; undefined only outside an app's pages. */
export const useDiscovery = (): Discovery | undefined => useContext(DiscoveryContext);

export function AppLayout({ children }: { readonly children: ReactNode }): ReactElement {
  return (
    <Layout appBar={Bar} menu={SideMenu}>
      {children}
    </Layout>
  );
}

function Bar(): ReactElement {
  return (
    <AppBar userMenu={<NamedUserMenu />}>
      <TitlePortal component="h1" />
      <AppSwitch />
    </AppBar>
  );
}

/** Its accessible name holds the text it shows, so that one who speaks the name reaches it. */
function NamedUserMenu(): ReactElement {
  const { identity } = useGetIdentity();
  return (
    <UserMenu label={`${identity?.fullName ?? ''} account`}>
      <Logout />
    </UserMenu>
  );
}

/** Which app one works in. Switching leaves nothing behind: the pages and their cache are made anew. */
function AppSwitch(): ReactElement | null {
  const discovery = useDiscovery();
  const navigate = useNavigate();
  const [apps, setApps] = useState<readonly AppSummary[]>([]);
  useEffect(() => {
    let isCurrent = true;
    void listApps().then((found) => (isCurrent ? setApps(found ?? []) : undefined));
    return () => {
      isCurrent = false;
    };
  }, []);
  if (discovery === undefined) return null;
  if (apps.length < 2) return <Typography sx={{ mx: 2 }}>{discovery.app.display_name}</Typography>;
  return (
    <Select
      size="small"
      variant="outlined"
      value={discovery.app.name}
      slotProps={{ input: { 'aria-label': 'App' } }}
      sx={{ color: 'inherit', mx: 1, '& .MuiSelect-icon': { color: 'inherit' } }}
      onChange={(event) => void navigate(`/t/${event.target.value}`)}
    >
      {apps.map((app) => (
        <MenuItem key={app.name} value={app.name}>
          {app.display_name}
        </MenuItem>
      ))}
    </Select>
  );
}

function SideMenu(): ReactElement {
  const discovery = useDiscovery();
  const [isOpen] = useSidebarState();
  const base = `/t/${discovery?.app.name ?? ''}`;
  const readable = (discovery?.entities ?? []).filter((entity) => entity.permissions.read);
  return (
    <Menu>
      <Menu.Item to={`${base}/inbox`} primaryText="Approvals" leftIcon={<InboxOutlined />} />
      <Menu.Item to={`${base}/runs`} primaryText="Workflows" leftIcon={<HistoryOutlined />} />
      <Group label="Data" isOpen={isOpen}>
        {readable.map((entity) => (
          <Menu.Item key={entity.name} to={`${base}/${entity.name}`} primaryText={entity.label} leftIcon={<TableRowsOutlined />} />
        ))}
      </Group>
      {discovery?.user.is_admin === true ? (
        <Group label="Build" isOpen={isOpen}>
          <Menu.Item to={`${base}/import`} primaryText="Schema import" leftIcon={<UploadFileOutlined />} />
          <Menu.Item to={`${base}/versions`} primaryText="Versions" leftIcon={<AccountTreeOutlined />} />
        </Group>
      ) : null}
    </Menu>
  );
}

function Group({
  label,
  isOpen,
  children,
}: {
  readonly label: string;
  readonly isOpen: boolean;
  readonly children: ReactNode;
}): ReactElement {
  return (
    <li role="none">
      {isOpen ? (
        <ListSubheader component="div" aria-hidden sx={{ lineHeight: '32px', background: 'transparent' }}>
          {label}
        </ListSubheader>
      ) : null}
      <ul role="group" aria-label={label} style={{ listStyle: 'none', margin: 0, padding: 0 }}>
        {children}
      </ul>
    </li>
  );
}
